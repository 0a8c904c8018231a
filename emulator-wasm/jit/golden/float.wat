;; entries: 0x0
(module
  (type $t0 (func (param i32 i32 i64 i32 i32) (result i32)))
  (type $t1 (func (param i32) (result i32)))
  (import "core" "dispatch" (func $core.dispatch (type $t0)))
  (import "core" "floatState" (func $core.floatState (type $t1)))
  (import "env" "memory" (memory $env.memory 1 65536 shared))
  (func $0 (export "0") (type $t0) (param $hart i32) (param $tlb i32) (param $page i64) (param $budget i32) (param $entry i32) (result i32)
    (local $l5 i32) (local $l6 i64) (local $l7 i32) (local $l8 i64) (local $l9 i32) (local $l10 i64) (local $l11 i32) (local $l12 i32) (local $l13 f64) (local $l14 f64) (local $l15 f64) (local $l16 f64) (local $l17 f64) (local $l18 i64) (local $l19 f32) (local $l20 f32) (local $l21 f32) (local $l22 f32) (local $l23 f32) (local $l24 f64)
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
    (local.set $l9
      (call $core.floatState
        (local.get $hart)))
    (block $B0
      (block $B1
        (block $B2
        )
        (i32.eqz
          (i32.and
            (local.get $l9)
            (i32.const 1)))
        (local.set $l5
          (i32.const 1))
        (br_if $B1)
        (i64.ne
          (i64.load
            (local.tee $l11
              (i32.add
                (i32.and
                  (i32.shr_u
                    (i32.wrap_i64
                      (local.tee $l10
                        (i64.load offset=80 (;a0;)
                          (local.get $hart))))
                    (i32.const 8))
                  (i32.const 262128))
                (local.get $tlb))))
          (i64.and
            (i64.add
              (local.get $l10)
              (i64.const 7))
            (i64.const -4096)))
        (local.set $l5
          (i32.const 1))
        (br_if $B1)
        (local.set $l12
          (i32.add
            (i32.load offset=8
              (local.get $l11))
            (i32.wrap_i64
              (local.get $l10))))
        (local.set $l13
          (f64.load
            (local.get $l12)))
        (f64.store offset=344 (;fa0;)
          (local.get $hart)
          (local.get $l13))
        (local.set $l14
          (f64.add
            (local.get $l13)
            (local.get $l13)))
        (i32.eqz
          (i32.and
            (i32.and
              (i32.eqz
                (i32.eqz
                  (i32.and
                    (local.get $l9)
                    (i32.const 4))))
              (i64.lt_u
                (i64.and
                  (i64.reinterpret_f64
                    (local.get $l14))
                  (i64.const 9223372036854775807))
                (i64.const 9218868437227405312)))
            (if $I3 (result i32)
              (i32.eqz
                (i32.eqz
                  (i32.and
                    (local.get $l9)
                    (i32.const 2))))
              (then
                (i32.const 1))
              (else
                (local.set $l15
                  (f64.sub
                    (local.get $l14)
                    (local.get $l13)))
                (f64.eq
                  (f64.add
                    (f64.sub
                      (local.get $l13)
                      (f64.sub
                        (local.get $l14)
                        (local.get $l15)))
                    (f64.sub
                      (local.get $l13)
                      (local.get $l15)))
                  (f64.const 0x0p+0 (;=0;)))))))
        (local.set $l5
          (i32.const 65539))
        (br_if $B1)
        (local.set $l16
          (local.get $l14))
        (f64.store offset=352 (;fa1;)
          (local.get $hart)
          (local.get $l16))
        (local.set $l14
          (f64.mul
            (local.get $l16)
            (local.get $l13)))
        (i32.eqz
          (i32.and
            (i32.and
              (i32.eqz
                (i32.eqz
                  (i32.and
                    (local.get $l9)
                    (i32.const 4))))
              (if $I4 (result i32)
                (i64.lt_u
                  (i64.sub
                    (i64.shl
                      (i64.reinterpret_f64
                        (local.get $l14))
                      (i64.const 1))
                    (i64.const 18014398509481984))
                  (i64.const -27021597764222976))
                (then
                  (i32.const 1))
                (else
                  (i32.and
                    (i32.or
                      (f64.eq
                        (local.get $l16)
                        (f64.const 0x0p+0 (;=0;)))
                      (f64.eq
                        (local.get $l13)
                        (f64.const 0x0p+0 (;=0;))))
                    (f64.eq
                      (local.get $l14)
                      (f64.const 0x0p+0 (;=0;)))))))
            (if $I5 (result i32)
              (i32.eqz
                (i32.eqz
                  (i32.and
                    (local.get $l9)
                    (i32.const 2))))
              (then
                (i32.const 1))
              (else
                (i64.ge_u
                  (i64.add
                    (i64.ctz
                      (i64.or
                        (i64.reinterpret_f64
                          (local.get $l16))
                        (i64.const 4503599627370496)))
                    (i64.ctz
                      (i64.or
                        (i64.reinterpret_f64
                          (local.get $l13))
                        (i64.const 4503599627370496))))
                  (i64.const 53))))))
        (local.set $l5
          (i32.const 131079))
        (br_if $B1)
        (local.set $l17
          (local.get $l14))
        (f64.store offset=360 (;fa2;)
          (local.get $hart)
          (local.get $l17))
        (i32.eqz
          (i32.and
            (f64.eq
              (local.get $l17)
              (local.get $l17))
            (f64.eq
              (local.get $l13)
              (local.get $l13))))
        (local.set $l5
          (i32.const 196619))
        (br_if $B1)
        (local.set $l18
          (i64.extend_i32_u
            (f64.lt
              (local.get $l17)
              (local.get $l13))))
        (i64.store offset=88 (;a1;)
          (local.get $hart)
          (local.get $l18))
        (i64.lt_u
          (i64.and
            (i64.reinterpret_f64
              (local.get $l13))
            (i64.reinterpret_f64
              (local.get $l16)))
          (i64.const -4294967296))
        (local.set $l5
          (i32.const 262159))
        (br_if $B1)
        (local.set $l19
          (f32.add
            (local.tee $l20
              (f32.reinterpret_i32
                (i32.wrap_i64
                  (i64.reinterpret_f64
                    (local.get $l13)))))
            (local.tee $l21
              (f32.reinterpret_i32
                (i32.wrap_i64
                  (i64.reinterpret_f64
                    (local.get $l16)))))))
        (i32.eqz
          (i32.and
            (i32.and
              (i32.eqz
                (i32.eqz
                  (i32.and
                    (local.get $l9)
                    (i32.const 4))))
              (i32.lt_u
                (i32.and
                  (i32.reinterpret_f32
                    (local.get $l19))
                  (i32.const 2147483647))
                (i32.const 2139095040)))
            (if $I6 (result i32)
              (i32.eqz
                (i32.eqz
                  (i32.and
                    (local.get $l9)
                    (i32.const 2))))
              (then
                (i32.const 1))
              (else
                (local.set $l22
                  (f32.sub
                    (local.get $l19)
                    (local.get $l20)))
                (f32.eq
                  (f32.add
                    (f32.sub
                      (local.get $l20)
                      (f32.sub
                        (local.get $l19)
                        (local.get $l22)))
                    (f32.sub
                      (local.get $l21)
                      (local.get $l22)))
                  (f32.const 0x0p+0 (;=0;)))))))
        (local.set $l5
          (i32.const 262159))
        (br_if $B1)
        (local.set $l23
          (local.get $l19))
        (local.set $l24
          (f64.reinterpret_i64
            (i64.or
              (i64.extend_i32_u
                (i32.reinterpret_f32
                  (local.get $l23)))
              (i64.const -4294967296))))
        (f64.store offset=368 (;fa3;)
          (local.get $hart)
          (local.get $l24))
        (local.set $budget
          (i32.sub
            (local.get $budget)
            (i32.const 5)))
        (local.set $l5
          (i32.const 18))
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
