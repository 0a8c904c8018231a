;; entries: 0x0
(module
  (type $t0 (func (param i32 i32 i64 i32 i32) (result i32)))
  (import "core" "dispatch" (func $core.dispatch (type $t0)))
  (import "env" "memory" (memory $env.memory 1 65536 shared))
  (func $0 (export "0") (type $t0) (param $hart i32) (param $tlb i32) (param $page i64) (param $budget i32) (param $entry i32) (result i32)
    (local $l5 i32) (local $l6 i64) (local $l7 i32) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 i32) (local $l14 i64) (local $l15 i64)
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
          (i64.load offset=88 (;a1;)
            (local.get $hart)))
        (local.set $l10
          (i64.add
            (local.get $l9)
            (i64.const -1)))
        (local.set $l11
          (i64.add
            (local.get $l10)
            (local.get $l10)))
        (local.set $l12
          (i64.extend_i32_u
            (i64.lt_u
              (local.get $l11)
              (local.get $l9))))
        (local.set $l13
          (i32.shr_s
            (i32.wrap_i64
              (local.get $l11))
            (i32.const 5)))
        (i64.shl
          (local.get $l12)
          (i64.const 2))
        (local.set $l14
          (i64.extend_i32_s
            (local.get $l13)))
        (local.get $l14)
        (local.set $l15
          (i64.add))
        (local.set $l10
          (i64.and
            (local.get $l15)
            (i64.xor
              (local.get $l11)
              (i64.const -1))))
        (i64.store offset=80 (;a0;)
          (local.get $hart)
          (local.get $l10))
        (i64.store offset=96 (;a2;)
          (local.get $hart)
          (local.get $l11))
        (i64.store offset=104 (;a3;)
          (local.get $hart)
          (local.get $l12))
        (i64.store offset=112 (;a4;)
          (local.get $hart)
          (local.get $l14))
        (i64.store offset=120 (;a5;)
          (local.get $hart)
          (local.get $l15))
        (local.set $budget
          (i32.sub
            (local.get $budget)
            (i32.const 7)))
        (local.set $l5
          (i32.const 28))
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
