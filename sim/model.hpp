// One verilated design as a loaded shared library: its ports as bits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bitloom {

/// A port of a verilated model: bit i is bit i%8 of byte i/8.
class Port {
 public:
  Port() = default;
  Port(void* data, unsigned bytes) : data_(static_cast<std::uint8_t*>(data)), bytes_(bytes) {}
  bool bit(int i) const { return ((data_[i / 8] >> (i % 8)) & 1) != 0; }
  std::uint32_t bits(int offset, int width) const;
  void set_bits(int offset, int width, std::uint32_t value);
  void set(bool value) { data_[0] = value ? 1 : 0; }
  const std::uint8_t* data() const { return data_; }
  unsigned bytes() const { return bytes_; }

 private:
  std::uint8_t* data_ = nullptr;
  unsigned bytes_ = 0;
};

/// What a model can do beside being simulated: write a waveform, or show every net of a netlist at its port `toggles`.
enum class ModelKind { plain, traced, counted };

/// What sim/glue/model.cpp must know of a design's ports, as options of a compiler: the only core, or the first or another chip of a system.
std::vector<std::string> port_options(const nlohmann::json& design);

/// Verilates DESIGN (once for each kind, unless its files changed) into a shared library and returns its path.
/// Throws Error when Verilator or the compiler is missing or fails, with the log's last lines.
std::filesystem::path build_model(const std::filesystem::path& design_folder, ModelKind kind);

class Model {
 public:
  /// `working_folder` is where the memory images' relative names lead from. Throws Error when the library cannot be loaded.
  Model(const std::filesystem::path& library, const std::filesystem::path& working_folder, unsigned seed,
        const std::filesystem::path& trace);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  Port port(const std::string& name) const;
  void eval() { eval_(handle_); }

 private:
  void* library_ = nullptr;
  void* handle_ = nullptr;
  void (*eval_)(void*) = nullptr;
  void (*destroy_)(void*) = nullptr;
};

}  // namespace bitloom
