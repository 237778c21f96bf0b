// The functions behind the operator table, by file. Included by the files that define them and by the table.
#pragma once

#include "onnx/operators.hpp"

namespace bitloom::op {

// elementwise.cpp
std::vector<Tensor> abs(const Arguments&);
std::vector<Tensor> add(const Arguments&);
std::vector<Tensor> ceil(const Arguments&);
std::vector<Tensor> clip(const Arguments&);
std::vector<Tensor> div(const Arguments&);
std::vector<Tensor> floor(const Arguments&);
std::vector<Tensor> identity(const Arguments&);
std::vector<Tensor> leaky_relu(const Arguments&);
std::vector<Tensor> max(const Arguments&);
std::vector<Tensor> min(const Arguments&);
std::vector<Tensor> mul(const Arguments&);
std::vector<Tensor> neg(const Arguments&);
std::vector<Tensor> pow(const Arguments&);
std::vector<Tensor> relu(const Arguments&);
std::vector<Tensor> round(const Arguments&);
std::vector<Tensor> sign(const Arguments&);
std::vector<Tensor> sqrt(const Arguments&);
std::vector<Tensor> sub(const Arguments&);

// quantizers.cpp
std::vector<Tensor> quant(const Arguments&);
std::vector<Tensor> bipolar_quant(const Arguments&);
std::vector<Tensor> trunc(const Arguments&);

// channelwise.cpp
std::vector<Tensor> batch_normalization(const Arguments&);
std::vector<Tensor> multi_threshold(const Arguments&);

// matrix.cpp
std::vector<Tensor> gemm(const Arguments&);
std::vector<Tensor> matmul(const Arguments&);

// windows.cpp
std::vector<Tensor> average_pool(const Arguments&);
std::vector<Tensor> conv(const Arguments&);
std::vector<Tensor> global_average_pool(const Arguments&);
std::vector<Tensor> max_pool(const Arguments&);

// shapes.cpp
std::vector<Tensor> concat(const Arguments&);
std::vector<Tensor> flatten(const Arguments&);
std::vector<Tensor> reshape(const Arguments&);
std::vector<Tensor> shape(const Arguments&);
std::vector<Tensor> squeeze(const Arguments&);
std::vector<Tensor> transpose(const Arguments&);
std::vector<Tensor> unsqueeze(const Arguments&);

// selection.cpp
std::vector<Tensor> arg_max(const Arguments&);
std::vector<Tensor> cast(const Arguments&);
std::vector<Tensor> gather(const Arguments&);
std::vector<Tensor> slice(const Arguments&);
std::vector<Tensor> top_k(const Arguments&);

}  // namespace bitloom::op
