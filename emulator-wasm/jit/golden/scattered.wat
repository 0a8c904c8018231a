;; entries: 0x0
(module
  (type $t0 (func (param i32 i32 i64 i32 i32) (result i32)))
  (import "core" "dispatch" (func $core.dispatch (type $t0)))
  (import "env" "memory" (memory $env.memory 1 65536 shared))
  (func $0 (export "0") (type $t0) (param $hart i32) (param $tlb i32) (param $page i64) (param $budget i32) (param $entry i32) (result i32)
    (local $l5 i32) (local $l6 i64) (local $l7 i32) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i32) (local $l17 i32) (local $l18 i32)
    (local.set $hart
      (i32.and
        (local.get $hart)
        (i32.const -16)))
    (local.set $tlb
      (i32.and
        (local.get $tlb)
        (i32.const -16)))
    (local.set $l7
      (i32.and
        (local.get $entry)
        (i32.const -256)))
    (local.set $entry
      (i32.and
        (local.get $entry)
        (i32.const 255)))
    (block $B0
      (block $B1
        (block $B2
          (block $B3
            (block $B4
              (block $B5
                (block $B6
                )
                (local.set $l9
                  (i64.load offset=112 (;a4;)
                    (local.get $hart)))
                (local.set $l10
                  (i64.load offset=80 (;a0;)
                    (local.get $hart)))
                (local.set $l11
                  (i64.load offset=104 (;a3;)
                    (local.get $hart)))
                (local.set $l12
                  (i64.load offset=120 (;a5;)
                    (local.get $hart)))
                (local.set $l13
                  (i64.load offset=88 (;a1;)
                    (local.get $hart)))
                (local.set $l14
                  (i64.load offset=96 (;a2;)
                    (local.get $hart)))
                (br $B5))
              (loop $L7
                (block $B8
                )
                (local.set $l12
                  (i64.add
                    (i64.shl
                      (local.get $l10)
                      (i64.const 1))
                    (local.get $l13)))
                (i64.ne
                  (i64.load
                    (local.tee $l16
                      (i32.add
                        (i32.and
                          (i32.shr_u
                            (i32.wrap_i64
                              (local.tee $l15
                                (local.get $l12)))
                            (i32.const 8))
                          (i32.const 262128))
                        (local.get $tlb))))
                  (i64.and
                    (i64.add
                      (local.get $l15)
                      (i64.const 1))
                    (i64.const -4096)))
                (local.set $l5
                  (i32.const 65541))
                (br_if $B3)
                (local.set $l17
                  (i32.add
                    (i32.load offset=8
                      (local.get $l16))
                    (i32.wrap_i64
                      (local.get $l15))))
                (local.set $l10
                  (i64.load16_u
                    (local.get $l17)))
                (local.set $l9
                  (i64.and
                    (local.get $l10)
                    (i64.const 255)))
                (local.set $l9
                  (i64.add
                    (i64.shl
                      (local.get $l9)
                      (i64.const 2))
                    (local.get $l14)))
                (if $I9
                  (i64.ne
                    (i64.and
                      (local.tee $l15
                        (local.get $l9))
                      (i64.const -4093))
                    (i64.load offset=524416
                      (local.get $tlb)))
                  (then
                    (local.get $tlb)
                    (i64.ne
                      (i64.load offset=262144
                        (local.tee $l16
                          (i32.add
                            (i32.and
                              (i32.shr_u
                                (i32.wrap_i64
                                  (local.get $l15))
                                (i32.const 8))
                              (i32.const 262128))
                            (local.get $tlb))))
                      (i64.and
                        (i64.add
                          (local.get $l15)
                          (i64.const 3))
                        (i64.const -4096)))
                    (local.set $l5
                      (i32.const 262161))
                    (br_if $B3)
                    (i32.load offset=262152
                      (local.get $l16))
                    (i32.store offset=524424)
                    (i64.store offset=524416
                      (local.get $tlb)
                      (i64.and
                        (local.get $l15)
                        (i64.const -4096)))))
                (local.set $l11
                  (i64.load32_s
                    (local.tee $l18
                      (i32.add
                        (i32.wrap_i64
                          (local.get $l15))
                        (i32.load offset=524424
                          (local.get $tlb))))))
                (local.set $l11
                  (i64.add
                    (local.get $l11)
                    (i64.const 1)))
                (i64.store32
                  (local.get $l18)
                  (local.get $l11))
                (local.set $budget
                  (i32.sub
                    (local.get $budget)
                    (i32.const 8)))
                (if $I10
                  (i64.ne
                    (local.get $l10)
                    (i64.const 0))
                  (then
                    (br_if $L7
                      (i32.gt_s
                        (local.get $budget)
                        (i32.const 0)))
                    (local.set $l5
                      (i32.const 0))
                    (br $B3)))
                (i64.store offset=112 (;a4;)
                  (local.get $hart)
                  (local.get $l9))
                (i64.store offset=80 (;a0;)
                  (local.get $hart)
                  (local.get $l10))
                (i64.store offset=104 (;a3;)
                  (local.get $hart)
                  (local.get $l11))
                (i64.store offset=120 (;a5;)
                  (local.get $hart)
                  (local.get $l12))
                (br $B4)))
            (local.set $budget
              (i32.sub
                (local.get $budget)
                (i32.const 1)))
            (local.set $l8
              (i64.and
                (i64.load offset=8 (;ra;)
                  (local.get $hart))
                (i64.const -2)))
            (if $I11
              (local.get $l7)
              (then
                (i64.store offset=520
                  (local.get $hart)
                  (local.get $l8))
                (return
                  (local.get $budget))))
            (local.set $l6
              (local.get $l8))
            (br $B0)
            (unreachable))
          (local.set $budget
            (i32.sub
              (local.get $budget)
              (i32.shr_u
                (local.get $l5)
                (i32.const 16))))
          (local.set $l6
            (i64.add
              (local.get $page)
              (i64.extend_i32_u
                (i32.and
                  (local.get $l5)
                  (i32.const 65535))))))
        (i64.store offset=112 (;a4;)
          (local.get $hart)
          (local.get $l9))
        (i64.store offset=80 (;a0;)
          (local.get $hart)
          (local.get $l10))
        (i64.store offset=104 (;a3;)
          (local.get $hart)
          (local.get $l11))
        (i64.store offset=120 (;a5;)
          (local.get $hart)
          (local.get $l12))
        (br $B0))
      (local.set $budget
        (i32.sub
          (local.get $budget)
          (i32.shr_u
            (local.get $l5)
            (i32.const 16))))
      (local.set $l6
        (i64.add
          (local.get $page)
          (i64.extend_i32_u
            (i32.and
              (local.get $l5)
              (i32.const 65535))))))
    (return_call $core.dispatch
      (local.get $hart)
      (local.get $tlb)
      (local.get $l6)
      (local.get $budget)
      (local.get $l7))))
