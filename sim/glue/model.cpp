// A C interface to one verilated bitloom_core, compiled per design into a shared library that `bitloom sim` loads.
// A port is its storage in the model: Verilator keeps every width in little-endian words, so bit i is bit i%8 of byte i/8.
#include <Vbitloom_core.h>
#include <verilated.h>
#if VM_TRACE_FST
#include <verilated_fst_c.h>
#endif

#include <cstring>
#include <memory>

namespace {

struct Model {
  VerilatedContext context;
  std::unique_ptr<Vbitloom_core> top;
#if VM_TRACE_FST
  std::unique_ptr<VerilatedFstC> trace;
#endif
};

}  // namespace

extern "C" {

void* bitloom_create(unsigned seed, const char* trace_file) {
  auto* model = new Model;
  model->context.randReset(2);
  model->context.randSeed(static_cast<int>(seed % 0x7fffffffU) + 1);
  model->top = std::make_unique<Vbitloom_core>(&model->context);
#if VM_TRACE_FST
  if (trace_file != nullptr) {
    model->context.traceEverOn(true);
    model->trace = std::make_unique<VerilatedFstC>();
    model->top->trace(model->trace.get(), 99);
    model->trace->open(trace_file);
  }
#else
  (void)trace_file;
#endif
  return model;
}

/// The storage of a port and its size in bytes; null for an unknown name.
void* bitloom_port(void* handle, const char* name, unsigned* bytes) {
  auto* top = static_cast<Model*>(handle)->top.get();
#define PORT(member)                         \
  if (std::strcmp(name, #member) == 0) {     \
    *bytes = sizeof(top->member);            \
    return static_cast<void*>(&top->member); \
  }
  PORT(clk)
  PORT(rst)
  PORT(probe_valid) PORT(probe_ready) PORT(probe_last) PORT(probe_data) PORT(activity)
#ifndef BITLOOM_NO_HOST
      PORT(in_valid) PORT(in_ready) PORT(in_data) PORT(in_last) PORT(out_valid) PORT(out_ready) PORT(out_data) PORT(out_last)
#endif
#ifdef BITLOOM_CHIP
          PORT(line_out) PORT(status_in) PORT(line_in) PORT(status_out)
#endif
#ifdef BITLOOM_LOADS
          PORT(load_start) PORT(load_valid) PORT(load_data)
#endif
#ifdef BITLOOM_ACTIVITY
          PORT(toggles) PORT(accesses)
#endif
#undef PORT
              return nullptr;
}

void bitloom_eval(void* handle) {
  auto* model = static_cast<Model*>(handle);
  model->top->eval();
#if VM_TRACE_FST
  if (model->trace) model->trace->dump(model->context.time());
#endif
  model->context.timeInc(1);
}

void bitloom_destroy(void* handle) {
  auto* model = static_cast<Model*>(handle);
  model->top->final();
#if VM_TRACE_FST
  if (model->trace) model->trace->close();
#endif
  delete model;
}
}
