// Reads ONNX and QONNX files into the float graph of core/graph.hpp.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/graph.hpp"

namespace bitloom {

/// The model in `file`. Constant nodes become initializers, unnamed nodes get names, nodes are put into topological order.
/// Throws Error when the file is missing, damaged, not ONNX, refers to external data, or holds what the float graph cannot.
Graph import_onnx(const std::filesystem::path& file);

/// The same from the bytes of a file; `file` is used in messages only.
Graph import_onnx_bytes(std::string_view bytes, const std::string& file);

/// A stored tensor (the .pb files of ONNX's own tests); `where` is used in messages only.
Tensor import_tensor_bytes(std::string_view bytes, const std::string& where);

}  // namespace bitloom
