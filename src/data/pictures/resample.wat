;; The inner loops of resample.ts for pictures of three channels, in the same integer arithmetic, four numbers at a time.
;; Compiled by scripts/generate-resample.mjs into resample-simd.generated.ts.
(module
  (memory (export "memory") 1)

  ;; One vector holds the sums of a pixel's channels; its fourth lane is the next pixel's red and is thrown away.
  (func (export "horizontal")
    (param $from i32) (param $rows i32) (param $rowBytes i32)
    (param $start i32) (param $count i32) (param $weights i32) (param $stride i32)
    (param $width i32) (param $to i32)
    (local $x i32) (local $at i32) (local $k i32) (local $end i32) (local $sum v128)
    (block $done
      (loop $eachRow
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $x (i32.const 0))
        (loop $eachPixel
          (local.set $at
            (i32.add (local.get $from)
              (i32.mul (i32.load (i32.add (local.get $start) (i32.shl (local.get $x) (i32.const 2)))) (i32.const 3))))
          (local.set $k
            (i32.add (local.get $weights)
              (i32.shl (i32.mul (local.get $x) (local.get $stride)) (i32.const 2))))
          (local.set $end
            (i32.add (local.get $k)
              (i32.shl (i32.load (i32.add (local.get $count) (i32.shl (local.get $x) (i32.const 2)))) (i32.const 2))))
          ;; Half of the last place, for rounding.
          (local.set $sum (v128.const i32x4 2097152 2097152 2097152 2097152))
          (loop $eachTap
            (local.set $sum
              (i32x4.add (local.get $sum)
                (i32x4.mul
                  (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $at))))
                  (v128.load32_splat (local.get $k)))))
            (local.set $at (i32.add (local.get $at) (i32.const 3)))
            (local.set $k (i32.add (local.get $k) (i32.const 4)))
            (br_if $eachTap (i32.lt_u (local.get $k) (local.get $end))))
          (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 22)))
          (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
          (v128.store32_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
          (local.set $to (i32.add (local.get $to) (i32.const 3)))
          (local.set $x (i32.add (local.get $x) (i32.const 1)))
          (br_if $eachPixel (i32.lt_u (local.get $x) (local.get $width))))
        (local.set $from (i32.add (local.get $from) (local.get $rowBytes)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $eachRow))))

  ;; Sixteen bytes of a row at a time; what is written beyond a row's end is overwritten by the next row.
  (func (export "vertical")
    (param $from i32) (param $rowBytes i32)
    (param $start i32) (param $count i32) (param $weights i32) (param $stride i32)
    (param $height i32) (param $to i32)
    (local $y i32) (local $x i32) (local $at i32) (local $k i32) (local $first i32) (local $end i32) (local $row i32)
    (local $weight v128) (local $bytes v128) (local $low v128) (local $high v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (loop $eachRow
      (local.set $row
        (i32.add (local.get $from)
          (i32.mul (i32.load (i32.add (local.get $start) (i32.shl (local.get $y) (i32.const 2)))) (local.get $rowBytes))))
      (local.set $first
        (i32.add (local.get $weights) (i32.shl (i32.mul (local.get $y) (local.get $stride)) (i32.const 2))))
      (local.set $end
        (i32.add (local.get $first)
          (i32.shl (i32.load (i32.add (local.get $count) (i32.shl (local.get $y) (i32.const 2)))) (i32.const 2))))
      (local.set $x (i32.const 0))
      (loop $eachBlock
        (local.set $at (i32.add (local.get $row) (local.get $x)))
        (local.set $k (local.get $first))
        (local.set $a (v128.const i32x4 2097152 2097152 2097152 2097152))
        (local.set $b (local.get $a))
        (local.set $c (local.get $a))
        (local.set $d (local.get $a))
        (loop $eachTap
          (local.set $weight (v128.load32_splat (local.get $k)))
          (local.set $bytes (v128.load (local.get $at)))
          (local.set $low (i16x8.extend_low_i8x16_u (local.get $bytes)))
          (local.set $high (i16x8.extend_high_i8x16_u (local.get $bytes)))
          (local.set $a (i32x4.add (local.get $a) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $low)) (local.get $weight))))
          (local.set $b (i32x4.add (local.get $b) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $low)) (local.get $weight))))
          (local.set $c (i32x4.add (local.get $c) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $high)) (local.get $weight))))
          (local.set $d (i32x4.add (local.get $d) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $high)) (local.get $weight))))
          (local.set $at (i32.add (local.get $at) (local.get $rowBytes)))
          (local.set $k (i32.add (local.get $k) (i32.const 4)))
          (br_if $eachTap (i32.lt_u (local.get $k) (local.get $end))))
        (v128.store (i32.add (local.get $to) (local.get $x))
          (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
        (local.set $x (i32.add (local.get $x) (i32.const 16)))
        (br_if $eachBlock (i32.lt_u (local.get $x) (local.get $rowBytes))))
      (local.set $to (i32.add (local.get $to) (local.get $rowBytes)))
      (local.set $y (i32.add (local.get $y) (i32.const 1)))
      (br_if $eachRow (i32.lt_u (local.get $y) (local.get $height))))))
