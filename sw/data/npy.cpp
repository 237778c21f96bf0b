#include "data/npy.hpp"

#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "data/arrays.hpp"
#include "data/compress.hpp"

namespace bitloom {

namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

/// What an NPY header says.
struct Header {
  bool big_endian = false;
  char kind = 'f';  ///< b: bool, i: signed, u: unsigned, f: float
  std::size_t item = 0;
  bool fortran = false;
  std::vector<std::int64_t> shape;
  std::size_t data = 0;  ///< where the values begin
};

/// The header is the text of a Python dictionary, e.g. {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderText {
 public:
  HeaderText(std::string text, const std::string& where) : text_(std::move(text)), where_(where) {}

  std::string quoted(const char* key) {
    const std::size_t begin = value_of(key);
    const char quote = begin < text_.size() ? text_[begin] : '\0';
    const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, begin + 1) : std::string::npos;
    if (end == std::string::npos) bad(key);
    return text_.substr(begin + 1, end - begin - 1);
  }

  bool truth(const char* key) {
    const std::size_t begin = value_of(key);
    if (text_.compare(begin, 4, "True") == 0) return true;
    if (text_.compare(begin, 5, "False") != 0) bad(key);
    return false;
  }

  std::vector<std::int64_t> tuple(const char* key) {
    std::size_t at = value_of(key);
    const std::size_t end = text_.find(')', at);
    if (at >= text_.size() || text_[at] != '(' || end == std::string::npos) bad(key);
    std::vector<std::int64_t> values;
    for (++at; at < end;) {
      if (text_[at] == ' ' || text_[at] == ',') {
        ++at;
        continue;
      }
      std::int64_t value = 0;
      const auto [rest, code] = std::from_chars(text_.data() + at, text_.data() + end, value);
      if (code != std::errc{} || value < 0 || values.size() == 32) bad(key);
      values.push_back(value);
      at = static_cast<std::size_t>(rest - text_.data());
      if (text_[at] == 'L') ++at;  // Python 2 wrote long integers so
    }
    return values;
  }

 private:
  std::size_t value_of(const char* key) {
    std::size_t at = text_.find("'" + std::string(key) + "'");
    if (at == std::string::npos) bad(key);
    at = text_.find(':', at);
    if (at == std::string::npos) bad(key);
    at = text_.find_first_not_of(' ', at + 1);
    return at == std::string::npos ? text_.size() : at;
  }
  [[noreturn]] void bad(const char* key) const {
    throw Error(where_, "the NPY header has no readable '" + std::string(key) + "'; write the file again with numpy.save");
  }

  std::string text_;
  std::string where_;
};

Header parse_header(const Bytes& file, const std::string& where) {
  static constexpr std::uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  if (file.size() < 10 || std::memcmp(file.data(), magic, sizeof magic) != 0)
    throw Error(where, "does not begin as an NPY file does (0x93 'NUMPY'); write it with numpy.save");
  const int version = file[6];
  if (version < 1 || version > 3)
    throw Error(where, "has NPY version " + std::to_string(version) + ", 1 to 3 are expected; write it again with numpy.save");
  const std::size_t begin = version == 1 ? 10 : 12;
  std::size_t length = 0;
  for (std::size_t i = 8; i < begin && i < file.size(); ++i) length |= std::size_t{file[i]} << (8 * (i - 8));
  if (file.size() < begin || file.size() - begin < length)
    throw Error(where, "is truncated: " + std::to_string(file.size()) + " bytes hold no whole NPY header; get the file again");
  HeaderText text(
      std::string(file.begin() + static_cast<std::ptrdiff_t>(begin), file.begin() + static_cast<std::ptrdiff_t>(begin + length)), where);
  Header header;
  const std::string type = text.quoted("descr");
  header.fortran = text.truth("fortran_order");
  header.shape = text.tuple("shape");
  header.data = begin + length;
  const std::string order = "<>|=";
  if (type.size() == 3 && order.find(type[0]) != std::string::npos && std::isdigit(static_cast<unsigned char>(type[2]))) {
    header.big_endian = type[0] == '>';
    header.kind = type[1];
    header.item = static_cast<std::size_t>(type[2] - '0');
  }
  const bool power = std::has_single_bit(header.item) && header.item <= 8;
  const bool known = (header.kind == 'b' && header.item == 1) || ((header.kind == 'i' || header.kind == 'u') && power) ||
                     (header.kind == 'f' && power && header.item >= 2);
  if (!known)
    throw Error(where, "has items of type '" + type +
                           "'; bool, integers of 1 to 8 bytes and floats of 2 to 8 bytes are supported: "
                           "convert it with numpy.astype");
  return header;
}

float half_to_float(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const auto mantissa = static_cast<float>(bits & 1023);
  float value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else {
    value = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

std::uint64_t load_bits(const std::uint8_t* at, const Header& header) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < header.item; ++i) bits |= std::uint64_t{at[i]} << (8 * (header.big_endian ? header.item - 1 - i : i));
  return bits;
}

float to_float(std::uint64_t bits, const Header& header) {
  if (header.item == 2) return half_to_float(static_cast<std::uint32_t>(bits));
  if (header.item == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  return static_cast<float>(std::bit_cast<double>(bits));
}

std::int64_t to_int(std::uint64_t bits, const Header& header, const std::string& where) {
  if (header.kind == 'b') return bits != 0;
  if (header.kind == 'u') {
    if (bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw Error(where, "holds " + std::to_string(bits) + ", beyond the largest signed 64-bit integer; use smaller values");
    return static_cast<std::int64_t>(bits);
  }
  const unsigned unused = static_cast<unsigned>(64 - 8 * header.item);
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

/// Visits the elements in row-major order with the position that each has in the file.
template <typename Visit>
void for_each_element(const Header& header, std::size_t count, Visit visit) {
  if (!header.fortran) {
    for (std::size_t i = 0; i < count; ++i) visit(i);
    return;
  }
  const std::size_t rank = header.shape.size();
  std::vector<std::size_t> index(rank, 0), stride(rank, 1);
  for (std::size_t d = 1; d < rank; ++d) stride[d] = stride[d - 1] * static_cast<std::size_t>(header.shape[d - 1]);
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    visit(at);
    for (std::size_t d = rank; d-- > 0;) {
      at += stride[d];
      if (++index[d] < static_cast<std::size_t>(header.shape[d])) break;
      at -= stride[d] * index[d];
      index[d] = 0;
    }
  }
}

std::size_t element_count(const Header& header, std::size_t available, const std::string& where) {
  std::size_t count = 1;
  bool huge = false;
  for (const std::int64_t d : header.shape) huge = __builtin_mul_overflow(count, static_cast<std::size_t>(d), &count) || huge;
  if (huge || count > available / header.item)
    throw Error(where, "is truncated or damaged: the shape asks for " + (huge ? "too many" : std::to_string(count)) + " items of " +
                           std::to_string(header.item) + " bytes, the file holds " + std::to_string(available) +
                           " bytes of data; get the file again");
  return count;
}

template <typename To, typename From>
void append(std::string& out, const std::vector<From>& values, const std::string& where) {
  for (const From value : values) {
    if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
      // 2^31 and 2^63 are floats, the largest integers below them are not.
      const From limit = std::ldexp(From{1}, std::numeric_limits<To>::digits);
      if (!(value >= -limit && value < limit) || std::trunc(value) != value)
        throw Error(where, "the value " + std::to_string(value) + " is no integer of the file's type; write float32 instead");
    } else if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
      if (!std::in_range<To>(value))
        throw Error(where, "the value " + std::to_string(value) + " does not fit the file's type; write int64 instead");
    }
    const To item = static_cast<To>(value);
    out.append(reinterpret_cast<const char*>(&item), sizeof item);
  }
}

template <typename To>
void append(std::string& out, const Tensor& tensor, const std::string& where) {
  std::visit([&](const auto& values) { append<To>(out, values, where); }, tensor.data);
}

}  // namespace

Tensor parse_npy(const Bytes& file, const std::string& where) {
  const Header header = parse_header(file, where);
  const std::size_t count = element_count(header, file.size() - header.data, where);
  const std::uint8_t* data = file.data() + header.data;
  if (header.kind == 'f') {
    std::vector<float> values;
    values.reserve(count);
    for_each_element(header, count,
                     [&](std::size_t at) { values.push_back(to_float(load_bits(data + at * header.item, header), header)); });
    return Tensor::floats(header.shape, std::move(values));
  }
  std::vector<std::int64_t> values;
  values.reserve(count);
  for_each_element(header, count,
                   [&](std::size_t at) { values.push_back(to_int(load_bits(data + at * header.item, header), header, where)); });
  return Tensor::ints(header.shape, std::move(values));
}

Tensor read_npy(const std::filesystem::path& path) { return parse_npy(read_unpacked(path), path.string()); }

namespace {

std::string npy_bytes(const Tensor& tensor, NpyType type, const std::string& where) {
  const std::size_t held = std::visit([](const auto& values) { return values.size(); }, tensor.data);
  if (static_cast<std::size_t>(tensor.size()) != held)
    throw Error(where, "the tensor's shape asks for " + std::to_string(tensor.size()) + " values, it holds " + std::to_string(held));
  std::string shape;
  for (const std::int64_t d : tensor.shape) shape += std::to_string(d) + ", ";
  if (tensor.shape.size() > 1) shape.resize(shape.size() - 2);  // one dimension keeps its comma: (3,) is a tuple, (3) is not
  const char* descr = type == NpyType::Float32 ? "<f4" : type == NpyType::Int32 ? "<i4" : "<i8";
  std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');  // the data begin at a multiple of 64 bytes, after a newline
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  out += header;
  switch (type) {
    case NpyType::Float32: append<float>(out, tensor, where); break;
    case NpyType::Int32: append<std::int32_t>(out, tensor, where); break;
    case NpyType::Int64: append<std::int64_t>(out, tensor, where); break;
  }
  return out;
}

NpyType own_type(const Tensor& tensor) { return tensor.is_float() ? NpyType::Float32 : NpyType::Int64; }

}  // namespace

std::string npy_bytes(const Tensor& tensor, const std::string& where) { return npy_bytes(tensor, own_type(tensor), where); }

void write_npy(const std::filesystem::path& path, const Tensor& tensor, NpyType type) {
  write_file_atomically(path, npy_bytes(tensor, type, path.string()));
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) { write_npy(path, tensor, own_type(tensor)); }

}  // namespace bitloom
