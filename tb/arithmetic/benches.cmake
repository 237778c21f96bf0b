add_bench(plane_sum CASES
  "Vsum_xnor_1 SIMD=1 ACT_BITS=1 XNOR=1'b1 CAN_SIGN=1'b0" "Vsum_xnor_5 SIMD=5 ACT_BITS=1 XNOR=1'b1 CAN_SIGN=1'b0" "Vsum_and_4x2 SIMD=4 ACT_BITS=2 XNOR=1'b0 CAN_SIGN=1'b0"
  "Vsum_xnor_3x2s SIMD=3 ACT_BITS=2 XNOR=1'b1 CAN_SIGN=1'b1" "Vsum_and_17x3s SIMD=17 ACT_BITS=3 XNOR=1'b0 CAN_SIGN=1'b1" "Vsum_xnor_64 SIMD=64 ACT_BITS=1 XNOR=1'b1 CAN_SIGN=1'b0"
  "Vsum_and_33x8 SIMD=33 ACT_BITS=8 XNOR=1'b0 CAN_SIGN=1'b0")
add_bench(adder_tree CASES "Vtree_1 N=1 WIDTH=4 IS_SIGNED=1'b0" "Vtree_64x1 N=64 WIDTH=1 IS_SIGNED=1'b0" "Vtree_21x3s N=21 WIDTH=3 IS_SIGNED=1'b1")
add_bench(plane_array CASES
  "Varray_xnor PE=3 SIMD=6 A_BITS=2 A_SIGNED=1'b0 APAR=2 XNOR=1'b1 ACC_BITS=12"
  "Varray_and_signed PE=2 SIMD=5 A_BITS=4 A_SIGNED=1'b1 APAR=2 XNOR=1'b0 ACC_BITS=13")
