;; entries: 0x0
(module
  (type $t0 (func (param i32 i32 i64 i32 i32) (result i32)))
  (import "core" "dispatch" (func $core.dispatch (type $t0)))
  (import "env" "memory" (memory $env.memory 1 65536 shared))
  (func $0 (export "0") (type $t0) (param $hart i32) (param $tlb i32) (param $page i64) (param $budget i32) (param $entry i32) (result i32)
    (local $l5 i32) (local $l6 i64) (local $l7 i32) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 i32) (local $l14 i32)
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
        )
        (local.set $l9
          (i64.load offset=80 (;a0;)
            (local.get $hart)))
        (local.set $l10
          (i64.add
            (i64.const 0)
            (local.get $l9)))
        (local.set $l11
          (i64.load offset=88 (;a1;)
            (local.get $hart)))
        (i64.store offset=96 (;a2;)
          (local.get $hart)
          (local.get $l10))
        (i64.ne
          (i64.load offset=262144
            (local.tee $l13
              (i32.add
                (i32.and
                  (i32.shr_u
                    (i32.wrap_i64
                      (local.tee $l12
                        (local.get $l11)))
                    (i32.const 8))
                  (i32.const 262128))
                (local.get $tlb))))
          (i64.and
            (i64.add
              (local.get $l12)
              (i64.const 7))
            (i64.const -4096)))
        (local.set $l5
          (i32.const 65539))
        (br_if $B1)
        (local.set $l14
          (i32.add
            (i32.load offset=262152
              (local.get $l13))
            (i32.wrap_i64
              (local.get $l12))))
        (local.set $l9
          (i64.load
            (local.get $l14)))
        (local.set $l11
          (i64.add
            (local.get $l11)
            (i64.const 8)))
        (local.set $l9
          (i64.add
            (local.get $l9)
            (i64.const 1)))
        (i64.store
          (local.get $l14)
          (local.get $l9))
        (i64.store offset=80 (;a0;)
          (local.get $hart)
          (local.get $l9))
        (i64.store offset=88 (;a1;)
          (local.get $hart)
          (local.get $l11))
        (local.set $budget
          (i32.sub
            (local.get $budget)
            (i32.const 5)))
        (local.set $l5
          (i32.const 12))
        (br $B1)
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
    (return_call $core.dispatch
      (local.get $hart)
      (local.get $tlb)
      (local.get $l6)
      (local.get $budget)
      (local.get $l7))))
