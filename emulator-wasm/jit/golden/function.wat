;; entries: 0x0, 0x4
(module
  (type $t0 (func (param i32 i32 i64 i32 i32) (result i32)))
  (import "core" "dispatch" (func $core.dispatch (type $t0)))
  (import "env" "memory" (memory $env.memory 1 65536 shared))
  (func $0 (export "0") (type $t0) (param $hart i32) (param $tlb i32) (param $page i64) (param $budget i32) (param $entry i32) (result i32)
    (local $l5 i32) (local $l6 i64) (local $l7 i32) (local $l8 i64) (local $l9 i64) (local $l10 i64)
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
            (br_if $B2
              (i32.eq
                (local.get $entry)
                (i32.const 1)))
            (br $B3))
          (local.set $budget
            (i32.sub
              (local.get $budget)
              (i32.const 1)))
          (local.set $l8
            (i64.and
              (i64.add
                (i64.load offset=80 (;a0;)
                  (local.get $hart))
                (i64.const 8))
              (i64.const -2)))
          (local.set $l9
            (i64.add
              (local.get $page)
              (i64.const 4)))
          (i64.store offset=8 (;ra;)
            (local.get $hart)
            (local.get $l9))
          (if $I4
            (i32.eq
              (local.tee $budget
                (call $core.dispatch
                  (local.get $hart)
                  (local.get $tlb)
                  (local.get $l8)
                  (local.get $budget)
                  (i32.add
                    (local.get $l7)
                    (i32.const 256))))
              (i32.const -2147483648))
            (then
              (return
                (i32.const -2147483648))))
          (if $I5
            (i64.ne
              (local.tee $l8
                (i64.load offset=520
                  (local.get $hart)))
              (i64.add
                (local.get $page)
                (i64.const 4)))
            (then
              (local.set $l6
                (local.get $l8))
              (br $B0)))
          (br $B2))
        (local.set $l10
          (i64.add
            (i64.load offset=80 (;a0;)
              (local.get $hart))
            (i64.const 1)))
        (i64.store offset=80 (;a0;)
          (local.get $hart)
          (local.get $l10))
        (local.set $budget
          (i32.sub
            (local.get $budget)
            (i32.const 2)))
        (local.set $l8
          (i64.and
            (i64.load offset=8 (;ra;)
              (local.get $hart))
            (i64.const -2)))
        (if $I6
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
    (return_call $core.dispatch
      (local.get $hart)
      (local.get $tlb)
      (local.get $l6)
      (local.get $budget)
      (local.get $l7))))
