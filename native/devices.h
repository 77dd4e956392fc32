// The engine as a whole: what it is, its modes, random numbers, threads, switches and accelerators.
#pragma once
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/cuda.h>

#include <map>
#if __has_include(<ATen/DeviceAccelerator.h>) && PRAXIS_TORCH >= 209
#include <ATen/DeviceAccelerator.h>
#define PRAXIS_ACCELERATOR 1
#endif

#include "tensors.h"

namespace praxis {

// The folder libtorch_cpu came from. libtorch_cuda beside it is loaded by name: linking would tie the addon to CUDA, not linking leaves it unloaded.
struct Loaded {
  std::string folder, cudaError;
  Loaded() {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void*>(&at::show_config), &info) || !info.dli_fname) return;
    const std::string path = info.dli_fname;
    folder = path.substr(0, path.find_last_of('/'));
    const std::string cuda = folder + "/libtorch_cuda.so";
    FILE* file = fopen(cuda.c_str(), "rb");
    if (file && (fclose(file), !dlopen(cuda.c_str(), RTLD_NOW | RTLD_GLOBAL))) cudaError = dlerror();
  }
};
inline const Loaded& loaded() { static const Loaded& once = *new Loaded; return once; }
inline c10::DeviceType typeOf(In in, int i) { return c10::Device(in.text(i, "device type")).type(); }
inline bool usable(c10::DeviceType type) { return type != c10::kCPU && c10::impl::hasDeviceGuardImpl(type); }

inline c10::impl::VirtualGuardImpl guardOf(c10::DeviceType type) {
  if (!usable(type)) throw ArgumentError("this engine has no accelerator of type " + c10::DeviceTypeName(type, true));
  return c10::impl::VirtualGuardImpl(type);
}

inline c10::Device deviceOf(In in, int i) {
  c10::Device device(in.text(i, "device"));
  if (device.is_cpu()) return device;
  auto guard = guardOf(device.type());
  if (!device.has_index()) device = c10::Device(device.type(), guard.getDevice().index());
  if (device.index() >= guard.deviceCount()) throw ArgumentError("there is no device " + device.str());
  return device;
}

inline napi_value info(In in) {
  Environment* e = in.e;
#ifdef PRAXIS_ORDINARY_FINALIZERS
  const bool prompt = false;
#else
  const bool prompt = true;
#endif
  const std::string version = std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." + std::to_string(TORCH_VERSION_PATCH);
  return fromFields(e, {{"torch", fromText(e, version)}, {"path", fromText(e, loaded().folder)}, {"config", fromText(e, at::show_config())}, {"cuda", fromBool(e, at::hasCUDA())},
                        {"mps", fromBool(e, at::hasMPS())}, {"cudaError", fromText(e, loaded().cudaError)}, {"promptFinalizers", fromBool(e, prompt)}});
}

// ---- autocast: named per device until 2.3, by device type from 2.4 ----

inline std::pair<bool, at::ScalarType> autocastState(c10::DeviceType type) {
#if PRAXIS_TORCH >= 204
  return {at::autocast::is_autocast_enabled(type), at::autocast::get_autocast_dtype(type)};
#else
  if (type == c10::kCPU) return {at::autocast::is_cpu_enabled(), at::autocast::get_autocast_cpu_dtype()};
  if (type == c10::kCUDA) return {at::autocast::is_enabled(), at::autocast::get_autocast_gpu_dtype()};
  throw ArgumentError("this engine has autocast for cpu and cuda only");
#endif
}

inline napi_value setAutocast(In in) {
  const c10::DeviceType type = typeOf(in, 0);
  const bool on = in.flag(1, "enabled");
  const int64_t code = in.integer(2, "dtype");
  autocastState(type);  // refuses device types without autocast
  if (code < 0 || code >= static_cast<int64_t>(at::ScalarType::NumOptions)) throw ArgumentError("unknown dtype code");
  const auto dtype = static_cast<at::ScalarType>(code);
#if PRAXIS_TORCH >= 204
  at::autocast::set_autocast_enabled(type, on);
  at::autocast::set_autocast_dtype(type, dtype);
#else
  type == c10::kCPU ? at::autocast::set_cpu_enabled(on) : at::autocast::set_enabled(on);
  type == c10::kCPU ? at::autocast::set_autocast_cpu_dtype(dtype) : at::autocast::set_autocast_gpu_dtype(dtype);
#endif
  return nullptr;
}

// ---- random numbers ----

inline uint64_t seedOf(In in, int i) {
  uint64_t seed;
  bool lossless;
  if (napi_get_value_bigint_uint64(in.e->env, in.values[i], &seed, &lossless) != napi_ok || !lossless) throw ArgumentError("a seed must be a bigint of 64 bits, got " + describe(in.e->env, in.values[i]));
  return seed;
}
inline at::Generator& generatorOf(In in) { return unwrapValue<at::Generator>(in.e, in.values[0], Magic::generator, "a generator"); }
inline napi_value makeGenerator(In in) {
  const c10::Device device = deviceOf(in, 0);
  // An accelerator's own generator is a clone of its default one: the same class, with a state of its own.
  return wrapValue<at::Generator>(in.e, Magic::generator, device.is_cpu() ? at::detail::createCPUGenerator() : at::globalContext().defaultGenerator(device).clone());
}
// What needs the generator's lock: 0 seed it, 1 its seed, 2 its state, 3 set its state.
template <int what>
napi_value generatorState(In in) {
  at::Generator& generator = generatorOf(in);
  std::lock_guard<std::mutex> lock(generator.mutex());
  napi_value seed = nullptr;
  if (what == 0) generator.set_current_seed(seedOf(in, 1));
  if (what == 1) check(napi_create_bigint_uint64(in.e->env, generator.current_seed(), &seed), "make a bigint");
  if (what == 2) return wrapTensor(in.e, generator.get_state());
  if (what == 3) generator.set_state(in.tensor(1, "state"));
  return seed;
}

// ---- threads and switches ----

inline int threadCount(In in) {
  const int64_t count = in.integer(0, "threads");
  if (count < 1 || count > 4096) throw ArgumentError("the number of threads must be between 1 and 4096, got " + std::to_string(count));
  return static_cast<int>(count);
}

// The state of a named switch; sets it as well when asked to.
inline napi_value engineSwitch(In in, bool set) {
  at::Context& c = at::globalContext();
  const bool on = set && in.flag(1, "on"), deterministic = c.deterministicAlgorithms(), warnOnly = c.deterministicAlgorithmsWarnOnly();
  const std::map<std::string, std::pair<bool, std::function<void()>>> switches = {
      {"deterministic", {deterministic, [&] { c.setDeterministicAlgorithms(on, warnOnly); }}},
      {"deterministicWarnOnly", {warnOnly, [&] { c.setDeterministicAlgorithms(deterministic, on); }}},
      {"benchmarkCudnn", {c.benchmarkCuDNN(), [&] { c.setBenchmarkCuDNN(on); }}},
      {"allowTf32Matmul", {c.allowTF32CuBLAS(), [&] { c.setAllowTF32CuBLAS(on); }}},
      {"allowTf32Cudnn", {c.allowTF32CuDNN(), [&] { c.setAllowTF32CuDNN(on); }}},
      {"oneDnn", {c.userEnabledMkldnn(), [&] { c.setUserEnabledMkldnn(on); }}},
      {"flushDenormal", {false, [&] { c.setFlushDenormal(on); }}}};
  auto found = switches.find(in.text(0, "name"));
  if (found == switches.end()) throw ArgumentError("there is no engine switch of this name");
  if (set) found->second.second();
  return fromBool(in.e, found->second.first);
}

// ---- accelerators ----

inline napi_value setDevice(In in) {
  const c10::DeviceType type = typeOf(in, 0);
  const int64_t index = in.integer(1, "index");
  auto guard = guardOf(type);
  if (index < 0 || index >= guard.deviceCount()) throw ArgumentError("there is no device with index " + std::to_string(index));
  guard.setDevice(c10::Device(type, static_cast<c10::DeviceIndex>(index)));
  return nullptr;
}

inline napi_value synchronize(In in) {
  const c10::Device device = deviceOf(in, 0);
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
  else if (!device.is_cpu()) guardOf(device.type()).getStream(device).synchronize();
  return nullptr;
}

// Statistics of the caching allocator (0), its peaks reset (1), or its unused memory given back (2), where the engine has the accelerator interface.
template <int what>
napi_value allocator(In in) {
  const c10::DeviceType type = typeOf(in, 0);
#ifdef PRAXIS_ACCELERATOR
  if (usable(type) && at::getAccelerator(false) == type) {
    Environment* e = in.e;
    if (what == 2) return at::accelerator::emptyCache(), nullptr;
    const c10::Device device = deviceOf(in, 0);
    if (what == 1) return at::accelerator::resetPeakStats(device.index()), nullptr;
    const auto stats = at::accelerator::getDeviceStats(device.index());
    const auto &allocated = stats.allocated_bytes[0], &reserved = stats.reserved_bytes[0];
    return fromFields(e, {{"allocatedBytes", fromInteger(e, allocated.current)}, {"peakAllocatedBytes", fromInteger(e, allocated.peak)}, {"reservedBytes", fromInteger(e, reserved.current)},
                          {"peakReservedBytes", fromInteger(e, reserved.peak)}, {"outOfMemoryErrors", fromInteger(e, stats.num_ooms)}});
  }
#endif
  (void)type;
  return wrapTensor(in.e, at::Tensor());
}

inline c10::Stream& streamOf(In in, int i) { return unwrapValue<c10::Stream>(in.e, in.values[i], Magic::stream, "a stream"); }
inline c10::Event& eventOf(In in) { return *unwrapValue<std::shared_ptr<c10::Event>>(in.e, in.values[0], Magic::event, "an event"); }
inline napi_value fromStream(In in, c10::Stream stream) { return wrapValue<c10::Stream>(in.e, Magic::stream, stream); }

}  // namespace praxis
