// Stored tensors: every numeric type of ONNX becomes float or int64. Nothing is allocated before the stored size is known to match the
// dimensions.
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>

#include "onnx/import.hpp"
#include "onnx/proto.hpp"

namespace bitloom {
namespace {

// The numbers of onnx.proto; those of 4 and more are newer than the oldest library we build with, so they are spelled here.
enum DataType : int {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
  kUint4 = 21,
  kInt4 = 22,
  kUint2 = 25,
  kInt2 = 26,
};

struct TypeInfo {
  const char* name;
  int bits;  ///< 0: not supported
  bool is_float;
};

TypeInfo type_info(int type) {
  switch (type) {
    case kFloat: return {"float", 32, true};
    case kUint8: return {"uint8", 8, false};
    case kInt8: return {"int8", 8, false};
    case kUint16: return {"uint16", 16, false};
    case kInt16: return {"int16", 16, false};
    case kInt32: return {"int32", 32, false};
    case kInt64: return {"int64", 64, false};
    case kString: return {"string", 0, false};
    case kBool: return {"bool", 8, false};
    case kFloat16: return {"float16", 16, true};
    case kDouble: return {"double", 64, true};
    case kUint32: return {"uint32", 32, false};
    case kUint64: return {"uint64", 64, false};
    case kComplex64: return {"complex64", 0, false};
    case kComplex128: return {"complex128", 0, false};
    case kBfloat16: return {"bfloat16", 16, true};
    case kUint4: return {"uint4", 4, false};
    case kInt4: return {"int4", 4, false};
    case kUint2: return {"uint2", 2, false};
    case kInt2: return {"int2", 2, false};
    default: return {nullptr, 0, false};
  }
}

float from_half(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  float value = 0;
  if (exponent == 31)
    value = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  else if (exponent == 0)
    value = static_cast<float>(mantissa) * 0x1p-24F;
  else
    value = static_cast<float>(mantissa + 1024) * std::bit_cast<float>(static_cast<std::uint32_t>(exponent - 25 + 127) << 23);
  return (half & 0x8000) != 0 ? -value : value;
}

float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::int64_t from_uint64(std::uint64_t value, const std::string& where) {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw Error(where, fmt::format("the uint64 value {} does not fit 63 bits", value));
  return static_cast<std::int64_t>(value);
}

/// Little-endian values of type T from a byte string that is known to be long enough.
template <class T>
T load(const std::string& bytes, std::size_t i) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

/// Several values a byte, the first one in the lowest bits.
std::int64_t load_part(const std::string& bytes, std::size_t i, int type) {
  const int bits = type_info(type).bits;
  const std::size_t per_byte = static_cast<std::size_t>(8 / bits);
  const int byte = static_cast<unsigned char>(bytes[i / per_byte]);
  const int value = byte >> (static_cast<int>(i % per_byte) * bits) & ((1 << bits) - 1);
  const bool is_signed = type == kInt4 || type == kInt2;
  return is_signed && value >= 1 << (bits - 1) ? value - (1 << bits) : value;
}

float raw_float(int type, const std::string& raw, std::size_t i) {
  if (type == kFloat) return load<float>(raw, i);
  if (type == kDouble) return static_cast<float>(load<double>(raw, i));
  return type == kFloat16 ? from_half(load<std::uint16_t>(raw, i)) : from_bfloat(load<std::uint16_t>(raw, i));
}

std::int64_t raw_int(int type, const std::string& raw, std::size_t i, const std::string& where) {
  switch (type) {
    case kUint8:
    case kBool: return load<std::uint8_t>(raw, i);
    case kInt8: return load<std::int8_t>(raw, i);
    case kUint16: return load<std::uint16_t>(raw, i);
    case kInt16: return load<std::int16_t>(raw, i);
    case kUint32: return load<std::uint32_t>(raw, i);
    case kInt32: return load<std::int32_t>(raw, i);
    case kUint64: return from_uint64(load<std::uint64_t>(raw, i), where);
    case kInt64: return load<std::int64_t>(raw, i);
    default: return load_part(raw, i, type);
  }
}

/// The number of values in the repeated field that the type uses.
std::size_t field_size(const ::onnx::TensorProto& proto, int type) {
  switch (type) {
    case kFloat: return static_cast<std::size_t>(proto.float_data_size());
    case kDouble: return static_cast<std::size_t>(proto.double_data_size());
    case kInt64: return static_cast<std::size_t>(proto.int64_data_size());
    case kUint32:
    case kUint64: return static_cast<std::size_t>(proto.uint64_data_size());
    default: return static_cast<std::size_t>(proto.int32_data_size());
  }
}

float field_float(const ::onnx::TensorProto& proto, int type, int i) {
  if (type == kFloat) return proto.float_data(i);
  if (type == kDouble) return static_cast<float>(proto.double_data(i));
  const auto bits = static_cast<std::uint16_t>(proto.int32_data(i));
  return type == kFloat16 ? from_half(bits) : from_bfloat(bits);
}

std::int64_t field_int(const ::onnx::TensorProto& proto, int type, std::size_t i, const std::string& where) {
  if (type == kInt64) return proto.int64_data(static_cast<int>(i));
  if (type == kUint32 || type == kUint64) return from_uint64(proto.uint64_data(static_cast<int>(i)), where);
  if (type_info(type).bits >= 8) return proto.int32_data(static_cast<int>(i));
  const std::size_t per_byte = static_cast<std::size_t>(8 / type_info(type).bits);
  const std::string byte(1, static_cast<char>(proto.int32_data(static_cast<int>(i / per_byte))));
  return load_part(byte, i % per_byte, type);
}

/// The product of the dimensions, refused when negative or beyond what a file could hold.
std::size_t element_count(const ::onnx::TensorProto& proto, const std::string& where) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t dim : proto.dims()) {
    if (dim < 0) throw Error(where, fmt::format("a dimension is {}, 0 or more expected", dim));
    empty = empty || dim == 0;
    if (dim != 0 && count > (std::int64_t{1} << 40) / dim) throw Error(where, "the dimensions name more values than a file can hold");
    count *= dim != 0 ? dim : 1;
  }
  return empty ? 0 : static_cast<std::size_t>(count);
}

}  // namespace

std::string type_name(int data_type) {
  const char* name = type_info(data_type).name;
  return name != nullptr ? name : fmt::format("number {}", data_type);
}

bool is_float_type(int data_type) { return type_info(data_type).is_float; }

bool is_supported_type(int data_type) { return type_info(data_type).bits != 0; }

Tensor read_tensor(const ::onnx::TensorProto& proto, const std::string& where) {
  const int type = proto.data_type();
  const TypeInfo info = type_info(type);
  if (info.bits == 0) throw Error(where, fmt::format("tensor type {} is not supported; float and integer types are", type_name(type)));
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL)
    throw Error(where, "its data is in another file; save the model with its data inside (onnx.save with save_as_external_data=False)");
  if (proto.has_segment()) throw Error(where, "a segmented tensor is not supported");

  const std::size_t count = element_count(proto, where);
  const bool raw = proto.has_raw_data();
  const std::size_t bytes = (count * static_cast<std::size_t>(info.bits) + 7) / 8;
  const std::size_t expected = raw || info.bits < 8 ? bytes : count;
  const std::size_t found = raw ? proto.raw_data().size() : field_size(proto, type);
  if (found != expected)
    throw Error(where, fmt::format("{} {} of data found, its dimensions need {}", found, raw ? "bytes" : "values", expected));

  Tensor tensor;
  tensor.type = static_cast<ElementType>(type);
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  if (info.is_float) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = raw ? raw_float(type, proto.raw_data(), i) : field_float(proto, type, static_cast<int>(i));
    tensor.data = std::move(values);
  } else {
    std::vector<std::int64_t> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = raw ? raw_int(type, proto.raw_data(), i, where) : field_int(proto, type, i, where);
    tensor.data = std::move(values);
  }
  return tensor;
}

Tensor import_tensor_bytes(std::string_view bytes, const std::string& where) {
  ::onnx::TensorProto proto;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw Error(where, "this is not a stored ONNX tensor, or it is damaged");
  return read_tensor(proto, where);
}

}  // namespace bitloom
