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
#if __has_include(<ATen/DeviceAccelerator.h>) && PRAXIS_TORCH >= 209
#include <ATen/DeviceAccelerator.h>
#define PRAXIS_ACCELERATOR 1
#endif

#include "tensors.h"

namespace praxis {

// The folder libtorch_cpu came from, and libtorch_cuda beside it loaded if it is there: linking against it would tie the addon to CUDA,
// and not linking leaves it unloaded.
struct Loaded {
  std::string folder, cudaError;
};
inline const Loaded& loaded() {
  static const Loaded* result = [] {
    auto* found = new Loaded;
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(&at::show_config), &info) && info.dli_fname) {
      std::string path = info.dli_fname;
      found->folder = path.substr(0, path.find_last_of('/'));
      std::string cuda = found->folder + "/libtorch_cuda.so";
      if (FILE* file = fopen(cuda.c_str(), "rb")) {
        fclose(file);
        if (!dlopen(cuda.c_str(), RTLD_NOW | RTLD_GLOBAL)) found->cudaError = dlerror();
      }
    }
    return found;
  }();
  return *result;
}

inline c10::DeviceType deviceType(Environment* e, napi_value value) { return c10::Device(text(e, value, "device type")).type(); }

inline c10::Device deviceOf(Environment* e, napi_value value) {
  c10::Device device(text(e, value, "device"));
  if (device.is_cpu()) return device;
  if (!c10::impl::hasDeviceGuardImpl(device.type())) throw ArgumentError("this engine cannot use the device " + device.str());
  c10::impl::VirtualGuardImpl guard(device.type());
  if (!device.has_index()) device = c10::Device(device.type(), guard.getDevice().index());
  if (device.index() >= guard.deviceCount()) throw ArgumentError("there is no device " + device.str());
  return device;
}

namespace entry {

inline void put(Environment* e, napi_value object, const char* name, napi_value value) { check(napi_set_named_property(e->env, object, name, value), "fill an object"); }

inline napi_value info(Environment* e, napi_value*) {
  napi_value result;
  check(napi_create_object(e->env, &result), "make an object");
  std::string config = at::show_config();
#if PRAXIS_TORCH >= 200
  std::string capability = at::get_cpu_capability();
#else
  size_t at = config.find("CPU capability usage: "), from = at + 22;
  std::string capability = at == std::string::npos ? "" : config.substr(from, config.find('\n', from) - from);
#endif
  char torchVersion[32];
  snprintf(torchVersion, sizeof torchVersion, "%d.%d.%d", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR, TORCH_VERSION_PATCH);
  put(e, result, "torch", fromText(e, torchVersion));
  put(e, result, "path", fromText(e, loaded().folder));
  put(e, result, "config", fromText(e, config));
  put(e, result, "cpuCapability", fromText(e, capability));
  put(e, result, "hasOneDnn", fromBool(e, at::hasMKLDNN()));
  put(e, result, "hasMkl", fromBool(e, at::hasMKL()));
  put(e, result, "hasOpenMp", fromBool(e, at::hasOpenMP()));
  put(e, result, "hasLapack", fromBool(e, at::hasLAPACK()));
  put(e, result, "cuda", fromBool(e, at::hasCUDA()));
  put(e, result, "mps", fromBool(e, at::hasMPS()));
  put(e, result, "cudaError", fromText(e, loaded().cudaError));
#ifdef PRAXIS_ORDINARY_FINALIZERS
  put(e, result, "promptFinalizers", fromBool(e, false));
#else
  put(e, result, "promptFinalizers", fromBool(e, true));
#endif
  return result;
}

// ---- modes ----

inline napi_value isGradEnabled(Environment* e, napi_value*) { return fromBool(e, at::GradMode::is_enabled()); }
inline napi_value setGradEnabled(Environment* e, napi_value* a) {
  bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(flag(e, a[0], "the mode"));
  return fromBool(e, before);
}
inline napi_value enterInference(Environment* e, napi_value* a) {
  e->inference.push_back(std::make_unique<c10::InferenceMode>(flag(e, a[0], "the mode")));
  return nullptr;
}
inline napi_value leaveInference(Environment* e, napi_value*) {
  if (e->inference.empty()) throw ArgumentError("inference mode was not entered");
  e->inference.pop_back();
  return nullptr;
}
inline napi_value isInference(Environment* e, napi_value*) { return fromBool(e, c10::InferenceMode::is_enabled()); }

#if PRAXIS_TORCH >= 204
inline bool autocastOn(c10::DeviceType type) { return at::autocast::is_autocast_enabled(type); }
inline at::ScalarType autocastType(c10::DeviceType type) { return at::autocast::get_autocast_dtype(type); }
inline void setAutocastFor(c10::DeviceType type, bool on, at::ScalarType dtype) {
  at::autocast::set_autocast_enabled(type, on);
  at::autocast::set_autocast_dtype(type, dtype);
}
#else
inline void onlyKnown(c10::DeviceType type) {
  if (type != c10::kCPU && type != c10::kCUDA) throw ArgumentError("this engine has autocast for cpu and cuda only");
}
inline bool autocastOn(c10::DeviceType type) {
  onlyKnown(type);
  return type == c10::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
}
inline at::ScalarType autocastType(c10::DeviceType type) {
  onlyKnown(type);
  return type == c10::kCPU ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype();
}
inline void setAutocastFor(c10::DeviceType type, bool on, at::ScalarType dtype) {
  onlyKnown(type);
  if (type == c10::kCPU) {
    at::autocast::set_cpu_enabled(on);
    at::autocast::set_autocast_cpu_dtype(dtype);
  } else {
    at::autocast::set_enabled(on);
    at::autocast::set_autocast_gpu_dtype(dtype);
  }
}
#endif

inline napi_value getAutocast(Environment* e, napi_value* a) {
  c10::DeviceType type = deviceType(e, a[0]);
  napi_value result;
  check(napi_create_object(e->env, &result), "make an object");
  put(e, result, "enabled", fromBool(e, autocastOn(type)));
  put(e, result, "dtype", fromInteger(e, static_cast<int64_t>(autocastType(type))));
  return result;
}
inline napi_value setAutocast(Environment* e, napi_value* a) {
  int64_t code = integer(e, a[2], "dtype");
  if (code < 0 || code >= static_cast<int64_t>(at::ScalarType::NumOptions)) throw ArgumentError("unknown dtype code");
  setAutocastFor(deviceType(e, a[0]), flag(e, a[1], "the mode"), static_cast<at::ScalarType>(code));
  return nullptr;
}
inline napi_value clearAutocastCache(Environment*, napi_value*) {
  at::autocast::clear_cache();
  return nullptr;
}
inline napi_value setAutocastCacheEnabled(Environment* e, napi_value* a) {
  bool before = at::autocast::is_autocast_cache_enabled();
  at::autocast::set_autocast_cache_enabled(flag(e, a[0], "the switch"));
  return fromBool(e, before);
}

// ---- random numbers ----

inline uint64_t seedOf(Environment* e, napi_value value) {
  uint64_t seed;
  bool lossless;
  if (napi_get_value_bigint_uint64(e->env, value, &seed, &lossless) != napi_ok || !lossless) throw ArgumentError("a seed must be a bigint of 64 bits, got " + describe(e->env, value));
  return seed;
}
inline at::Generator& generatorOf(Environment* e, napi_value value) { return unwrapValue<at::Generator>(e, value, Magic::generator, "a generator"); }
inline napi_value manualSeed(Environment* e, napi_value* a) {
  at::manual_seed(seedOf(e, a[0]));
  return nullptr;
}
inline napi_value defaultGenerator(Environment* e, napi_value* a) {
  return wrapValue<at::Generator>(e, Magic::generator, at::globalContext().defaultGenerator(deviceOf(e, a[0])));
}
inline napi_value makeGenerator(Environment* e, napi_value* a) {
  c10::Device device = deviceOf(e, a[0]);
  // An accelerator's own generator is a clone of its default one: the same class, with a state of its own.
  at::Generator made = device.is_cpu() ? at::detail::createCPUGenerator() : at::globalContext().defaultGenerator(device).clone();
  return wrapValue<at::Generator>(e, Magic::generator, std::move(made));
}
inline napi_value generatorSeed(Environment* e, napi_value* a) {
  at::Generator& generator = generatorOf(e, a[0]);
  uint64_t seed = seedOf(e, a[1]);
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(seed);
  return nullptr;
}
inline napi_value generatorInitialSeed(Environment* e, napi_value* a) {
  at::Generator& generator = generatorOf(e, a[0]);
  std::lock_guard<std::mutex> lock(generator.mutex());
  napi_value result;
  check(napi_create_bigint_uint64(e->env, generator.current_seed(), &result), "make a bigint");
  return result;
}
inline napi_value generatorState(Environment* e, napi_value* a) {
  at::Generator& generator = generatorOf(e, a[0]);
  std::lock_guard<std::mutex> lock(generator.mutex());
  return wrapTensor(e, generator.get_state());
}
inline napi_value setGeneratorState(Environment* e, napi_value* a) {
  at::Generator& generator = generatorOf(e, a[0]);
  const at::Tensor& state = unwrapTensor(e, a[1], "the state");
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
  return nullptr;
}
inline napi_value generatorDevice(Environment* e, napi_value* a) { return fromText(e, generatorOf(e, a[0]).device().str()); }

// ---- threads and switches ----

inline int threadCount(Environment* e, napi_value value) {
  int64_t count = integer(e, value, "the number of threads");
  if (count < 1 || count > 4096) throw ArgumentError("the number of threads must be between 1 and 4096, got " + std::to_string(count));
  return static_cast<int>(count);
}
inline napi_value numThreads(Environment* e, napi_value*) { return fromInteger(e, at::get_num_threads()); }
inline napi_value setNumThreads(Environment* e, napi_value* a) {
  at::set_num_threads(threadCount(e, a[0]));
  return nullptr;
}
inline napi_value numInteropThreads(Environment* e, napi_value*) { return fromInteger(e, at::get_num_interop_threads()); }
inline napi_value setNumInteropThreads(Environment* e, napi_value* a) {
  at::set_num_interop_threads(threadCount(e, a[0]));
  return nullptr;
}

inline bool switchState(const std::string& name, const bool* set) {
  at::Context& context = at::globalContext();
  bool before = false;
  if (name == "deterministic") {
    before = context.deterministicAlgorithms();
    if (set) context.setDeterministicAlgorithms(*set, context.deterministicAlgorithmsWarnOnly());
  } else if (name == "deterministicWarnOnly") {
    before = context.deterministicAlgorithmsWarnOnly();
    if (set) context.setDeterministicAlgorithms(context.deterministicAlgorithms(), *set);
  } else if (name == "benchmarkCudnn") {
    before = context.benchmarkCuDNN();
    if (set) context.setBenchmarkCuDNN(*set);
  } else if (name == "allowTf32Matmul") {
    before = context.allowTF32CuBLAS();
    if (set) context.setAllowTF32CuBLAS(*set);
  } else if (name == "allowTf32Cudnn") {
    before = context.allowTF32CuDNN();
    if (set) context.setAllowTF32CuDNN(*set);
  } else if (name == "oneDnn") {
    before = context.userEnabledMkldnn();
    if (set) context.setUserEnabledMkldnn(*set);
  } else if (name == "flushDenormal" && set) {
    before = context.setFlushDenormal(*set);
  } else {
    throw ArgumentError("there is no engine switch '" + name + "' to " + (set ? "set" : "read"));
  }
  return before;
}
inline napi_value getSwitch(Environment* e, napi_value* a) { return fromBool(e, switchState(text(e, a[0], "name"), nullptr)); }
inline napi_value setSwitch(Environment* e, napi_value* a) {
  bool on = flag(e, a[1], "the switch");
  return fromBool(e, switchState(text(e, a[0], "name"), &on));
}

// ---- accelerators ----

inline napi_value deviceCount(Environment* e, napi_value* a) {
  c10::DeviceType type = deviceType(e, a[0]);
  if (type == c10::kCPU) return fromInteger(e, 1);
  if (!c10::impl::hasDeviceGuardImpl(type)) return fromInteger(e, 0);
  return fromInteger(e, c10::impl::VirtualGuardImpl(type).deviceCount());
}
inline napi_value currentDevice(Environment* e, napi_value* a) {
  c10::DeviceType type = deviceType(e, a[0]);
  if (type == c10::kCPU) return fromInteger(e, 0);
  if (!c10::impl::hasDeviceGuardImpl(type)) throw ArgumentError("this engine has no such device");
  return fromInteger(e, c10::impl::VirtualGuardImpl(type).getDevice().index());
}
inline napi_value setDevice(Environment* e, napi_value* a) {
  c10::DeviceType type = deviceType(e, a[0]);
  int64_t index = integer(e, a[1], "index");
  if (type == c10::kCPU) return nullptr;
  if (!c10::impl::hasDeviceGuardImpl(type)) throw ArgumentError("this engine has no such device");
  c10::impl::VirtualGuardImpl guard(type);
  if (index < 0 || index >= guard.deviceCount()) throw ArgumentError("there is no device with index " + std::to_string(index));
  guard.setDevice(c10::Device(type, static_cast<c10::DeviceIndex>(index)));
  return nullptr;
}
inline napi_value synchronize(Environment* e, napi_value* a) {
  c10::Device device = deviceOf(e, a[0]);
  if (device.is_cpu()) return nullptr;
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
  else c10::impl::VirtualGuardImpl(device.type()).synchronizeStream(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  return nullptr;
}
inline napi_value emptyCache(Environment* e, napi_value* a) {
  c10::DeviceType type = deviceType(e, a[0]);
#ifdef PRAXIS_ACCELERATOR
  if (type != c10::kCPU && at::getAccelerator(false) == type) at::accelerator::emptyCache();
#else
  (void)type;
#endif
  return nullptr;
}
inline napi_value deviceStats(Environment* e, napi_value* a) {
  c10::Device device = deviceOf(e, a[0]);
#ifdef PRAXIS_ACCELERATOR
  if (!device.is_cpu()) {
    auto stats = at::accelerator::getDeviceStats(device.index());
    napi_value result;
    check(napi_create_object(e->env, &result), "make an object");
    put(e, result, "allocatedBytes", fromInteger(e, stats.allocated_bytes[0].current));
    put(e, result, "peakAllocatedBytes", fromInteger(e, stats.allocated_bytes[0].peak));
    put(e, result, "reservedBytes", fromInteger(e, stats.reserved_bytes[0].current));
    put(e, result, "peakReservedBytes", fromInteger(e, stats.reserved_bytes[0].peak));
    put(e, result, "outOfMemoryErrors", fromInteger(e, stats.num_ooms));
    return result;
  }
#endif
  (void)device;
  return wrapTensor(e, at::Tensor());
}
inline napi_value resetPeakStats(Environment* e, napi_value* a) {
  c10::Device device = deviceOf(e, a[0]);
#ifdef PRAXIS_ACCELERATOR
  if (!device.is_cpu()) at::accelerator::resetPeakStats(device.index());
#endif
  (void)device;
  return nullptr;
}

inline c10::Stream& streamOf(Environment* e, napi_value value) { return unwrapValue<c10::Stream>(e, value, Magic::stream, "a stream"); }
inline c10::Event& eventOf(Environment* e, napi_value value) { return *unwrapValue<std::shared_ptr<c10::Event>>(e, value, Magic::event, "an event"); }
inline c10::Device streamDevice(Environment* e, napi_value value) {
  c10::Device device = deviceOf(e, value);
  if (device.is_cpu()) throw ArgumentError("the CPU has no streams; streams belong to accelerators");
  return device;
}
inline napi_value streamNew(Environment* e, napi_value* a) {
  c10::Device device = streamDevice(e, a[0]);
  return wrapValue<c10::Stream>(e, Magic::stream, c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device, flag(e, a[1], "highPriority")));
}
inline napi_value streamCurrent(Environment* e, napi_value* a) {
  c10::Device device = streamDevice(e, a[0]);
  return wrapValue<c10::Stream>(e, Magic::stream, c10::impl::VirtualGuardImpl(device.type()).getStream(device));
}
inline napi_value streamSet(Environment* e, napi_value* a) {
  c10::Stream& stream = streamOf(e, a[0]);
  return wrapValue<c10::Stream>(e, Magic::stream, c10::impl::VirtualGuardImpl(stream.device_type()).exchangeStream(stream));
}
inline napi_value streamQuery(Environment* e, napi_value* a) { return fromBool(e, streamOf(e, a[0]).query()); }
inline napi_value streamSynchronize(Environment* e, napi_value* a) {
  streamOf(e, a[0]).synchronize();
  return nullptr;
}
inline napi_value eventNew(Environment* e, napi_value* a) {
  c10::DeviceType type = deviceType(e, a[0]);
  if (type == c10::kCPU || !c10::impl::hasDeviceGuardImpl(type)) throw ArgumentError("events belong to accelerators that this engine can use");
  return wrapValue<std::shared_ptr<c10::Event>>(e, Magic::event, std::make_shared<c10::Event>(type));
}
inline napi_value eventRecord(Environment* e, napi_value* a) {
  eventOf(e, a[0]).record(streamOf(e, a[1]));
  return nullptr;
}
inline napi_value eventWait(Environment* e, napi_value* a) {
  eventOf(e, a[0]).block(streamOf(e, a[1]));
  return nullptr;
}
inline napi_value eventQuery(Environment* e, napi_value* a) { return fromBool(e, eventOf(e, a[0]).query()); }

}  // namespace entry
}  // namespace praxis
