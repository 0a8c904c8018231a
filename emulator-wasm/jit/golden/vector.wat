;; entries: 0x0, 0x20
(module
  (type $t0 (func (param i32 i32 i64 i32 i32) (result i32)))
  (type $t1 (func (param i32) (result i32)))
  (type $t3 (func (param i32 i32) (result i32)))
  (import "core" "dispatch" (func $core.dispatch (type $t0)))
  (import "core" "floatState" (func $core.floatState (type $t1)))
  (import "core" "vectorOperation" (func $core.vectorOperation (type $t3)))
  (import "env" "memory" (memory $env.memory 1 65536 shared))
  (func $0 (export "0") (type $t0) (param $hart i32) (param $tlb i32) (param $page i64) (param $budget i32) (param $entry i32) (result i32)
    (local $l5 i32) (local $l6 i64) (local $l7 i32) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 f64) (local $l14 i64) (local $l15 i64) (local $l16 i64) (local $l17 i32) (local $l18 i64) (local $l19 i32) (local $l20 i64) (local $l21 i32) (local $l22 v128) (local $l23 v128) (local $l24 i32) (local $l25 v128) (local $l26 i32) (local $l27 v128) (local $l28 v128) (local $l29 v128) (local $l30 v128) (local $l31 v128) (local $l32 v128) (local $l33 v128)
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
    (local.set $l26
      (call $core.floatState
        (local.get $hart)))
    (block $B0
      (block $B1
        (block $B2
          (block $B3
            (block $B4
              (block $B5
                (block $B6
                  (block $B7
                    (block $B8
                      (block $B9
                        (block $B10
                          (br_if $B10
                            (i32.eq
                              (local.get $entry)
                              (i32.const 1)))
                          (br $B9))
                        (local.set $l9
                          (i64.load offset=104 (;a3;)
                            (local.get $hart)))
                        (local.set $l10
                          (i64.load offset=40 (;t0;)
                            (local.get $hart)))
                        (local.set $l11
                          (i64.load offset=120 (;a5;)
                            (local.get $hart)))
                        (local.set $l12
                          (i64.load offset=112 (;a4;)
                            (local.get $hart)))
                        (local.set $l13
                          (f64.load offset=344 (;fa0;)
                            (local.get $hart)))
                        (br $B7))
                      (local.set $l10
                        (i64.load offset=40 (;t0;)
                          (local.get $hart)))
                      (local.set $l14
                        (i64.load offset=88 (;a1;)
                          (local.get $hart)))
                      (local.set $l15
                        (i64.load offset=80 (;a0;)
                          (local.get $hart)))
                      (local.set $l16
                        (i64.load offset=96 (;a2;)
                          (local.get $hart)))
                      (br $B8))
                    (loop $L11
                      (block $B12
                      )
                      (block $B13
                        (block $B14
                          (br_if $B14
                            (i32.eqz
                              (i32.and
                                (i32.eq
                                  (i32.and
                                    (i32.load offset=640
                                      (local.get $hart))
                                    (i32.const 1536))
                                  (i32.const 1536))
                                (i32.eqz
                                  (i32.load offset=1536
                                    (local.get $hart))))))
                          (local.set $l17
                            (i32.const 16))
                          (i64.store offset=1552
                            (local.get $hart)
                            (i64.const 192))
                          (i64.store offset=1544
                            (local.get $hart)
                            (i64.extend_i32_u
                              (local.get $l17)))
                          (br $B13))
                        (i32.eqz
                          (call $core.vectorOperation
                            (local.get $hart)
                            (i32.const 201355991)))
                        (local.set $l5
                          (i32.const 1))
                        (br_if $B3)
                        (local.set $l17
                          (i32.load offset=1544
                            (local.get $hart))))
                      (local.set $l10
                        (i64.extend_i32_u
                          (local.get $l17)))
                      (block $B15
                        (block $B16
                          (br_if $B16
                            (i64.ne
                              (i64.load
                                (local.tee $l21
                                  (i32.add
                                    (i32.and
                                      (i32.shr_u
                                        (i32.wrap_i64
                                          (local.tee $l20
                                            (local.get $l14)))
                                        (i32.const 8))
                                      (i32.const 262128))
                                    (local.get $tlb))))
                              (i64.and
                                (i64.add
                                  (local.get $l20)
                                  (i64.const 15))
                                (i64.const -4096))))
                          (local.set $l19
                            (i32.add
                              (i32.load offset=8
                                (local.get $l21))
                              (i32.wrap_i64
                                (local.get $l20))))
                          (local.set $l22
                            (v128.load
                              (local.get $l19)))
                          (v128.store offset=1152
                            (local.get $hart)
                            (local.get $l22))
                          (br $B15))
                        (i64.store offset=88 (;a1;)
                          (local.get $hart)
                          (local.get $l14))
                        (i32.eqz
                          (call $core.vectorOperation
                            (local.get $hart)
                            (i32.const 50693127)))
                        (local.set $l5
                          (i32.const 65541))
                        (br_if $B3)
                        (if $I17
                          (i32.ge_s
                            (local.get $l17)
                            (i32.const 0))
                          (then
                            (local.set $l17
                              (i32.load offset=1544
                                (local.get $hart)))))
                        (local.set $l22
                          (v128.load offset=1152
                            (local.get $hart))))
                      (local.set $l10
                        (i64.load offset=1544
                          (local.get $hart)))
                      (block $B18
                        (block $B19
                          (local.set $l23
                            (i8x16.splat
                              (i32.const 0)))
                          (local.set $l20
                            (i64.extend_i32_u
                              (i8x16.bitmask
                                (i8x16.eq
                                  (local.get $l22)
                                  (local.get $l23)))))
                          (i64.store offset=1040
                            (local.get $hart)
                            (i64.xor
                              (i64.load offset=1040
                                (local.get $hart))
                              (i64.and
                                (i64.xor
                                  (i64.load offset=1040
                                    (local.get $hart))
                                  (local.get $l20))
                                (i64.xor
                                  (i64.const -1)
                                  (i64.shl
                                    (i64.const -1)
                                    (i64.extend_i32_u
                                      (local.get $l17)))))))))
                      (block $B20
                        (block $B21
                          (br_if $B21
                            (i64.ne
                              (i64.load offset=262144
                                (local.tee $l21
                                  (i32.add
                                    (i32.and
                                      (i32.shr_u
                                        (i32.wrap_i64
                                          (local.tee $l20
                                            (local.get $l15)))
                                        (i32.const 8))
                                      (i32.const 262128))
                                    (local.get $tlb))))
                              (i64.and
                                (i64.add
                                  (local.get $l20)
                                  (i64.const 15))
                                (i64.const -4096))))
                          (local.set $l19
                            (i32.add
                              (i32.load offset=262152
                                (local.get $l21))
                              (i32.wrap_i64
                                (local.get $l20))))
                          (if $I22
                            (i32.eq
                              (local.get $l17)
                              (i32.const 16))
                            (then
                              (v128.store
                                (local.get $l19)
                                (local.get $l22)))
                            (else
                              (local.set $l21
                                (local.get $l17))
                              (local.set $l24
                                (local.get $hart))
                              (block $B23
                                (loop $L24
                                  (br_if $B23
                                    (i32.eqz
                                      (local.get $l21)))
                                  (i32.store8
                                    (local.get $l19)
                                    (i32.load8_u offset=1152
                                      (local.get $l24)))
                                  (local.set $l19
                                    (i32.add
                                      (local.get $l19)
                                      (i32.const 1)))
                                  (local.set $l24
                                    (i32.add
                                      (local.get $l24)
                                      (i32.const 1)))
                                  (local.set $l21
                                    (i32.sub
                                      (local.get $l21)
                                      (i32.const 1)))
                                  (br $L24)))))
                          (br $B20))
                        (i64.store offset=80 (;a0;)
                          (local.get $hart)
                          (local.get $l15))
                        (i32.eqz
                          (call $core.vectorOperation
                            (local.get $hart)
                            (i32.const 33883175)))
                        (local.set $l5
                          (i32.const 262161))
                        (br_if $B3))
                      (block $B25
                        (block $B26
                          (local.set $l20
                            (i64.and
                              (i64.load offset=1040
                                (local.get $hart))
                              (i64.xor
                                (i64.const -1)
                                (i64.shl
                                  (i64.const -1)
                                  (i64.extend_i32_u
                                    (local.get $l17))))))
                          (local.set $l18
                            (select
                              (i64.ctz
                                (local.get $l20))
                              (i64.const -1)
                              (i32.eqz
                                (i64.eqz
                                  (local.get $l20)))))))
                      (local.set $l16
                        (local.get $l18))
                      (local.set $l14
                        (i64.add
                          (local.get $l14)
                          (local.get $l10)))
                      (local.set $l15
                        (i64.add
                          (local.get $l15)
                          (local.get $l10)))
                      (local.set $budget
                        (i32.sub
                          (local.get $budget)
                          (i32.const 9)))
                      (if $I27
                        (i64.lt_s
                          (local.get $l16)
                          (i64.const 0))
                        (then
                          (br_if $L11
                            (i32.gt_s
                              (local.get $budget)
                              (i32.const 0)))
                          (local.set $l5
                            (i32.const 0))
                          (br $B3)))
                      (i64.store offset=40 (;t0;)
                        (local.get $hart)
                        (local.get $l10))
                      (i64.store offset=88 (;a1;)
                        (local.get $hart)
                        (local.get $l14))
                      (i64.store offset=80 (;a0;)
                        (local.get $hart)
                        (local.get $l15))
                      (i64.store offset=96 (;a2;)
                        (local.get $hart)
                        (local.get $l16))
                      (local.set $l9
                        (i64.load offset=104 (;a3;)
                          (local.get $hart)))
                      (local.set $l11
                        (i64.load offset=120 (;a5;)
                          (local.get $hart)))
                      (local.set $l12
                        (i64.load offset=112 (;a4;)
                          (local.get $hart)))
                      (local.set $l13
                        (f64.load offset=344 (;fa0;)
                          (local.get $hart)))
                      (br $B7)))
                  (loop $L28
                    (block $B29
                    )
                    (block $B30
                      (block $B31
                        (br_if $B31
                          (i32.eqz
                            (i32.and
                              (i32.eq
                                (i32.and
                                  (i32.load offset=640
                                    (local.get $hart))
                                  (i32.const 1536))
                                (i32.const 1536))
                              (i32.eqz
                                (i32.load offset=1536
                                  (local.get $hart))))))
                        (local.set $l18
                          (local.get $l9))
                        (local.set $l17
                          (i32.wrap_i64
                            (select
                              (local.get $l18)
                              (i64.const 4)
                              (i64.lt_u
                                (local.get $l18)
                                (i64.const 4)))))
                        (i64.store offset=1552
                          (local.get $hart)
                          (i64.const 208))
                        (i64.store offset=1544
                          (local.get $hart)
                          (i64.extend_i32_u
                            (local.get $l17)))
                        (br $B30))
                      (i64.store offset=104 (;a3;)
                        (local.get $hart)
                        (local.get $l9))
                      (i32.eqz
                        (call $core.vectorOperation
                          (local.get $hart)
                          (i32.const 218559191)))
                      (local.set $l5
                        (i32.const 33))
                      (br_if $B5)
                      (local.set $l17
                        (i32.load offset=1544
                          (local.get $hart))))
                    (local.set $l10
                      (i64.extend_i32_u
                        (local.get $l17)))
                    (block $B32
                      (block $B33
                        (br_if $B33
                          (i64.ne
                            (i64.load
                              (local.tee $l24
                                (i32.add
                                  (i32.and
                                    (i32.shr_u
                                      (i32.wrap_i64
                                        (local.tee $l20
                                          (local.get $l12)))
                                      (i32.const 8))
                                    (i32.const 262128))
                                  (local.get $tlb))))
                            (i64.and
                              (i64.add
                                (local.get $l20)
                                (i64.const 15))
                              (i64.const -4096))))
                        (local.set $l19
                          (i32.add
                            (i32.load offset=8
                              (local.get $l24))
                            (i32.wrap_i64
                              (local.get $l20))))
                        (v128.load
                          (local.get $l19))
                        (v128.load offset=1152
                          (local.get $hart))
                        (local.set $l24
                          (i32.shl
                            (local.get $l17)
                            (i32.const 2)))
                        (i8x16.lt_s
                          (v128.const i32x4 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c)
                          (i8x16.splat
                            (local.get $l24)))
                        (local.set $l22
                          (v128.bitselect))
                        (v128.store offset=1152
                          (local.get $hart)
                          (local.get $l22))
                        (br $B32))
                      (i32.eqz
                        (call $core.vectorOperation
                          (local.get $hart)
                          (i32.const 34038791)))
                      (local.set $l5
                        (i32.const 65573))
                      (br_if $B5)
                      (local.set $l22
                        (v128.load offset=1152
                          (local.get $hart))))
                    (block $B34
                      (block $B35
                        (br_if $B35
                          (i64.ne
                            (i64.load
                              (local.tee $l24
                                (i32.add
                                  (i32.and
                                    (i32.shr_u
                                      (i32.wrap_i64
                                        (local.tee $l20
                                          (local.get $l11)))
                                      (i32.const 8))
                                    (i32.const 262128))
                                  (local.get $tlb))))
                            (i64.and
                              (i64.add
                                (local.get $l20)
                                (i64.const 15))
                              (i64.const -4096))))
                        (local.set $l19
                          (i32.add
                            (i32.load offset=8
                              (local.get $l24))
                            (i32.wrap_i64
                              (local.get $l20))))
                        (v128.load
                          (local.get $l19))
                        (v128.load offset=1168
                          (local.get $hart))
                        (local.set $l24
                          (i32.shl
                            (local.get $l17)
                            (i32.const 2)))
                        (i8x16.lt_s
                          (v128.const i32x4 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c)
                          (i8x16.splat
                            (local.get $l24)))
                        (local.set $l25
                          (v128.bitselect))
                        (v128.store offset=1168
                          (local.get $hart)
                          (local.get $l25))
                        (br $B34))
                      (i32.eqz
                        (call $core.vectorOperation
                          (local.get $hart)
                          (i32.const 34071687)))
                      (local.set $l5
                        (i32.const 131113))
                      (br_if $B5)
                      (local.set $l25
                        (v128.load offset=1168
                          (local.get $hart))))
                    (block $B36
                      (block $B37
                        (br_if $B37
                          (i32.ne
                            (i32.and
                              (local.get $l26)
                              (i32.const 7))
                            (i32.const 7)))
                        (br_if $B37
                          (i64.lt_u
                            (i64.reinterpret_f64
                              (local.get $l13))
                            (i64.const -4294967296)))
                        (local.set $l30
                          (i32x4.splat
                            (i32.wrap_i64
                              (i64.reinterpret_f64
                                (local.get $l13)))))
                        (local.set $l23
                          (local.get $l22))
                        (local.set $l27
                          (local.get $l30))
                        (local.set $l28
                          (local.get $l25))
                        (local.set $l31
                          (f64x2.add
                            (f64x2.mul
                              (f64x2.promote_low_f32x4
                                (local.get $l27))
                              (f64x2.promote_low_f32x4
                                (local.get $l23)))
                            (f64x2.promote_low_f32x4
                              (local.get $l28))))
                        (br_if $B37
                          (v128.any_true
                            (i64x2.eq
                              (v128.and
                                (local.get $l31)
                                (v128.const i32x4 0x1fffffff 0x00000000 0x1fffffff 0x00000000))
                              (v128.const i32x4 0x10000000 0x00000000 0x10000000 0x00000000))))
                        (local.set $l32
                          (f32x4.demote_f64x2_zero
                            (local.get $l31)))
                        (local.set $l33
                          (local.get $l27))
                        (f64x2.promote_low_f32x4
                          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
                            (local.get $l33)
                            (local.get $l33)))
                        (local.set $l33
                          (local.get $l23))
                        (f64x2.promote_low_f32x4
                          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
                            (local.get $l33)
                            (local.get $l33)))
                        (f64x2.mul)
                        (local.set $l33
                          (local.get $l28))
                        (f64x2.promote_low_f32x4
                          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
                            (local.get $l33)
                            (local.get $l33)))
                        (local.set $l31
                          (f64x2.add))
                        (br_if $B37
                          (v128.any_true
                            (i64x2.eq
                              (v128.and
                                (local.get $l31)
                                (v128.const i32x4 0x1fffffff 0x00000000 0x1fffffff 0x00000000))
                              (v128.const i32x4 0x10000000 0x00000000 0x10000000 0x00000000))))
                        (local.set $l33
                          (f32x4.demote_f64x2_zero
                            (local.get $l31)))
                        (local.set $l29
                          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
                            (local.get $l32)
                            (local.get $l33)))
                        (v128.or
                          (v128.and
                            (f32x4.ge
                              (f32x4.abs
                                (local.get $l29))
                              (v128.const i32x4 0x01000000 0x01000000 0x01000000 0x01000000))
                            (f32x4.lt
                              (f32x4.abs
                                (local.get $l29))
                              (v128.const i32x4 0x7f800000 0x7f800000 0x7f800000 0x7f800000)))
                          (v128.and
                            (v128.or
                              (f32x4.eq
                                (local.get $l27)
                                (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
                              (f32x4.eq
                                (local.get $l23)
                                (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000)))
                            (f32x4.eq
                              (local.get $l29)
                              (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))))
                        (local.set $l19
                          (i32.shl
                            (local.get $l17)
                            (i32.const 2)))
                        (v128.not
                          (i8x16.lt_s
                            (v128.const i32x4 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c)
                            (i8x16.splat
                              (local.get $l19))))
                        (br_if $B37
                          (i32.eqz
                            (i8x16.all_true
                              (v128.or))))
                        (local.get $l29)
                        (local.get $l25)
                        (local.set $l19
                          (i32.shl
                            (local.get $l17)
                            (i32.const 2)))
                        (i8x16.lt_s
                          (v128.const i32x4 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c)
                          (i8x16.splat
                            (local.get $l19)))
                        (local.set $l25
                          (v128.bitselect))
                        (v128.store offset=1168
                          (local.get $hart)
                          (local.get $l25))
                        (br $B36))
                      (i32.eqz
                        (call $core.vectorOperation
                          (local.get $hart)
                          (i32.const -1299884841)))
                      (local.set $l5
                        (i32.const 196653))
                      (br_if $B5)
                      (local.set $l25
                        (v128.load offset=1168
                          (local.get $hart))))
                    (block $B38
                      (block $B39
                        (br_if $B39
                          (i64.ne
                            (i64.load offset=262144
                              (local.tee $l24
                                (i32.add
                                  (i32.and
                                    (i32.shr_u
                                      (i32.wrap_i64
                                        (local.tee $l20
                                          (local.get $l11)))
                                      (i32.const 8))
                                    (i32.const 262128))
                                  (local.get $tlb))))
                            (i64.and
                              (i64.add
                                (local.get $l20)
                                (i64.const 15))
                              (i64.const -4096))))
                        (local.set $l19
                          (i32.add
                            (i32.load offset=262152
                              (local.get $l24))
                            (i32.wrap_i64
                              (local.get $l20))))
                        (if $I40
                          (i32.eq
                            (local.get $l17)
                            (i32.const 4))
                          (then
                            (v128.store
                              (local.get $l19)
                              (local.get $l25)))
                          (else
                            (local.set $l24
                              (local.get $l17))
                            (local.set $l21
                              (local.get $hart))
                            (block $B41
                              (loop $L42
                                (br_if $B41
                                  (i32.eqz
                                    (local.get $l24)))
                                (i32.store
                                  (local.get $l19)
                                  (i32.load offset=1168
                                    (local.get $l21)))
                                (local.set $l19
                                  (i32.add
                                    (local.get $l19)
                                    (i32.const 4)))
                                (local.set $l21
                                  (i32.add
                                    (local.get $l21)
                                    (i32.const 4)))
                                (local.set $l24
                                  (i32.sub
                                    (local.get $l24)
                                    (i32.const 1)))
                                (br $L42)))))
                        (br $B38))
                      (i32.eqz
                        (call $core.vectorOperation
                          (local.get $hart)
                          (i32.const 34071719)))
                      (local.set $l5
                        (i32.const 262193))
                      (br_if $B5))
                    (local.set $l9
                      (i64.sub
                        (local.get $l9)
                        (local.get $l10)))
                    (local.set $budget
                      (i32.sub
                        (local.get $budget)
                        (i32.const 7)))
                    (if $I43
                      (i64.ne
                        (local.get $l9)
                        (i64.const 0))
                      (then
                        (br_if $L28
                          (i32.gt_s
                            (local.get $budget)
                            (i32.const 0)))
                        (local.set $l5
                          (i32.const 32))
                        (br $B5)))
                    (i64.store offset=104 (;a3;)
                      (local.get $hart)
                      (local.get $l9))
                    (i64.store offset=40 (;t0;)
                      (local.get $hart)
                      (local.get $l10))
                    (br $B6)))
                (i32.eqz
                  (call $core.vectorOperation
                    (local.get $hart)
                    (i32.const 847544663)))
                (local.set $l5
                  (i32.const 59))
                (br_if $B1)
                (local.set $budget
                  (i32.sub
                    (local.get $budget)
                    (i32.const 2)))
                (local.set $l8
                  (i64.and
                    (i64.load offset=8 (;ra;)
                      (local.get $hart))
                    (i64.const -2)))
                (if $I44
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
            (i64.store offset=104 (;a3;)
              (local.get $hart)
              (local.get $l9))
            (i64.store offset=40 (;t0;)
              (local.get $hart)
              (local.get $l10))
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
        (i64.store offset=40 (;t0;)
          (local.get $hart)
          (local.get $l10))
        (i64.store offset=88 (;a1;)
          (local.get $hart)
          (local.get $l14))
        (i64.store offset=80 (;a0;)
          (local.get $hart)
          (local.get $l15))
        (i64.store offset=96 (;a2;)
          (local.get $hart)
          (local.get $l16))
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
