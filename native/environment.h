// What one JavaScript thread owns: live handles, memory accounting, callbacks, pending errors.
// Nothing here is process-global except the ticket table, so the addon loads in any number of worker threads.
#pragma once
#ifndef PRAXIS_ORDINARY_FINALIZERS
#define NAPI_EXPERIMENTAL  // finalizers that run inside garbage collection; see native/README.md
#define NODE_API_EXPERIMENTAL_NOGC_ENV_OPT_OUT
#else
#define NAPI_VERSION 9
#endif
#include <ATen/ATen.h>
#include <ATen/ThreadLocalState.h>
#include <c10/core/InferenceMode.h>
#include <node_api.h>
#include <torch/version.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#define PRAXIS_TORCH (TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR)

namespace praxis {

// A mistake of the caller; reaches JavaScript with this code.
struct ArgumentError : std::runtime_error { using std::runtime_error::runtime_error; };
// A JavaScript exception on its way through C++; the value waits in Environment::thrown.
struct ScriptError : std::exception {};

inline void check(napi_status status, const char* what) {
  if (status == napi_ok) return;
  if (status == napi_pending_exception || status == napi_cannot_run_js) throw ScriptError();
  throw std::runtime_error(std::string("Node-API could not ") + what + " (status " + std::to_string(status) + ")");
}

// References to JavaScript values may die on any thread, or inside garbage collection where deleting them is forbidden:
// they queue here and the next ordinary call deletes them.
struct ReferenceQueue {
  std::mutex mutex;
  std::vector<napi_ref> dead;
  std::atomic<bool> pending{false};
  bool closed = false;  // the environment is gone and took its references along
  void push(napi_ref reference) { std::lock_guard<std::mutex> lock(mutex); if (!closed) dead.push_back(reference); pending = true; }
};

struct Environment;
struct Plan;

// A tensor that JavaScript knows by number. Handles are negative, so no other number is ever taken for one: -1 - (slot + generation * 2^24).
struct TensorBox {
  Environment* environment;
  TensorBox *previous, *next;
  int64_t bytes;     // charged to it
  int64_t sequence;  // order of birth, for scopes and the leak finder
  int32_t handle;
  bool adopted;  // a JavaScript object owns it; otherwise only dispose() frees it
  bool disposed;
  at::Tensor tensor;
};
constexpr int32_t kSlotBits = 24, kSlotMask = (1 << kSlotBits) - 1;
constexpr int64_t kHandleBytes = 256;  // TensorImpl, storage record, box
constexpr int64_t kYoungLimit = 64 << 20, kOldLimit = 256 << 20;

// What a JavaScript `External` (a generator, stream or event) points at. The magic number tells a foreign External.
enum class Magic : uint64_t { generator = 0x7072617847656e72, stream = 0x707261785374726d, event = 0x7072617845766e74 };
template <class T>
struct ValueBox { Magic magic; Environment* environment; T value; };

using ScriptTask = std::packaged_task<void()>;

struct Environment {
  napi_env env = nullptr;
  std::thread::id thread = std::this_thread::get_id();
  std::shared_ptr<ReferenceQueue> references = std::make_shared<ReferenceQueue>();
  TensorBox* first = nullptr;  // youngest first
  std::vector<TensorBox*> slots;
  std::vector<int32_t> generations, freeSlots;
  int64_t births = 0, owners = 1;  // owners: boxes alive, plus one while the JavaScript side is
  int64_t living = 0, born = 0, oldLimit = kOldLimit;  // bytes: of live handles, of those made since the last collection
  napi_ref collector = nullptr, thrown = nullptr;
  bool collecting = false, pumpAlways = false;
  std::atomic<bool> pumping{false};
  double* scratch = nullptr;  // lists of integers and handles arrive here, several times faster than as arrays
  size_t scratchSize = 0, cursor = 0;
  std::vector<std::unique_ptr<c10::InferenceMode>> inference;
  std::vector<std::unique_ptr<Plan>> plans;
  std::unordered_map<std::string, size_t> planIds;
  std::vector<c10::IValue> spareStack;
  std::vector<std::string> warnings;
  std::mutex pumpMutex;
  std::condition_variable pumpSignal;
  std::deque<ScriptTask*> pumpTasks;

  ~Environment();
  void release() { if (--owners == 0) delete this; }

  // JavaScript to run for autograd threads; null says that the backward pass is over.
  void post(ScriptTask* task) { std::lock_guard<std::mutex> lock(pumpMutex); pumpTasks.push_back(task); pumpSignal.notify_one(); }
  ScriptTask* next() {
    std::unique_lock<std::mutex> lock(pumpMutex);
    pumpSignal.wait(lock, [&] { return !pumpTasks.empty(); });
    ScriptTask* task = pumpTasks.front();
    pumpTasks.pop_front();
    return task;
  }

  // V8 is not told of native memory: napi_adjust_external_memory can finish an incremental marking at a bad moment, which ends Node 20 with a failed
  // check. Instead the collector is asked for at the end of a call: for young objects after 64 MiB of results, for all when those that live have doubled.
  void account(int64_t bytes) { living += bytes; if (bytes > 0) born += bytes; }
  void collectIfDue() {
    if (born < kYoungLimit || !collector || collecting) return;
    collecting = true;
    collect(false);
    if (living > oldLimit) { collect(true); oldLimit = std::max(kOldLimit, 2 * living); }
    born = 0;
    collecting = false;
  }
  void collect(bool all) {
    napi_value function, undefined, argument, result;
    if (napi_get_reference_value(env, collector, &function) == napi_ok && napi_get_undefined(env, &undefined) == napi_ok && napi_get_boolean(env, all, &argument) == napi_ok)
      napi_call_function(env, undefined, function, 1, &argument, &result);
  }

  void drain() {
    if (!references->pending) return;
    std::vector<napi_ref> dead;
    { std::lock_guard<std::mutex> lock(references->mutex); dead.swap(references->dead); references->pending = false; }
    for (napi_ref reference : dead) napi_delete_reference(env, reference);
  }
};

// A JavaScript value kept alive from C++; may be dropped on any thread.
struct ScriptReference {
  std::shared_ptr<ReferenceQueue> queue;
  napi_ref reference = nullptr;
  ScriptReference(Environment* e, napi_value value) : queue(e->references) { check(napi_create_reference(e->env, value, 1, &reference), "hold a value"); }
  ScriptReference(const ScriptReference&) = delete;
  ~ScriptReference() { queue->push(reference); }
};

inline std::string describe(napi_env env, napi_value value) {
  static const char* names[] = {"undefined", "null", "a boolean", "", "a string", "a symbol", "an object or array", "a function", "a handle of another kind", "a bigint"};
  napi_valuetype type;
  double number = 0;
  char text[64];
  if (napi_typeof(env, value, &type) != napi_ok) return "an unknown value";
  if (napi_get_value_double(env, value, &number) != napi_ok) return names[type];
  snprintf(text, sizeof text, "the number %.17g", number);
  return text;
}

// ---- handles ----

inline void dropTensor(TensorBox* box) {
  if (box->disposed) return;
  box->disposed = true;
  (box->previous ? box->previous->next : box->environment->first) = box->next;
  if (box->next) box->next->previous = box->previous;
  box->environment->account(-box->bytes);
  at::Tensor dead = std::move(box->tensor);
}

inline void freeBox(TensorBox* box) {
  Environment* e = box->environment;
  dropTensor(box);
  const int32_t slot = (-1 - box->handle) & kSlotMask;
  e->slots[slot] = nullptr;
  e->freeSlots.push_back(slot);
  delete box;
  e->release();
}

inline void finalizeTensor(napi_env, void* data, void*) { freeBox(static_cast<TensorBox*>(data)); }

// A handle for a tensor. With `shell`, that JavaScript object owns it from now on; without, adopt() or dispose() must follow.
inline napi_value wrapTensor(Environment* e, at::Tensor tensor, napi_value shell = nullptr) {
  napi_value result = nullptr;
  if (!tensor.defined()) { check(napi_get_null(e->env, &result), "make null"); return result; }
  if (e->freeSlots.empty()) {
    if (e->slots.size() > kSlotMask) throw std::runtime_error("more than 16 million tensors are alive in this thread");
    e->freeSlots.push_back(static_cast<int32_t>(e->slots.size()));
    e->slots.push_back(nullptr);
    e->generations.push_back(0);
  }
  const int32_t slot = e->freeSlots.back(), generation = e->generations[slot] = (e->generations[slot] + 1) & 127;
  // A view or a second owner adds no bytes: only the first handle to see a storage is charged for it.
  const bool firstOwner = tensor.has_storage() && tensor.storage().use_count() == 1;
  const int64_t bytes = kHandleBytes + (firstOwner ? static_cast<int64_t>(tensor.storage().nbytes()) : 0);
  auto* box = new TensorBox{e, nullptr, e->first, bytes, ++e->births, -1 - (slot | generation << kSlotBits), false, false, std::move(tensor)};
  e->freeSlots.pop_back();
  e->owners++;
  if (e->first) e->first->previous = box;
  e->first = e->slots[slot] = box;
  e->account(bytes);
  // Fails, and leaves the handle without owner, when null stands in the shell's place.
  box->adopted = shell && napi_add_finalizer(e->env, shell, box, finalizeTensor, nullptr, nullptr) == napi_ok;
  check(napi_create_int32(e->env, box->handle, &result), "make a handle");
  return result;
}

inline TensorBox* findBox(Environment* e, double number) {
  if (!(number < 0 && number >= -2147483648.0)) return nullptr;
  const int32_t handle = static_cast<int32_t>(number), slot = (-1 - handle) & kSlotMask;
  TensorBox* box = static_cast<size_t>(slot) < e->slots.size() ? e->slots[slot] : nullptr;
  return box && box->handle == handle ? box : nullptr;
}

template <class T>
napi_value wrapValue(Environment* e, Magic magic, T value) {
  auto* box = new ValueBox<T>{magic, e, std::move(value)};
  auto finalize = [](napi_env, void* data, void*) {
    auto* dead = static_cast<ValueBox<T>*>(data);
    Environment* owner = dead->environment;
    dead->magic = Magic(0);
    delete dead;
    owner->release();
  };
  napi_value result;
  e->owners++;
  check(napi_create_external(e->env, box, finalize, nullptr, &result), "make a handle");
  return result;
}

template <class T>
T& unwrapValue(Environment* e, napi_value value, Magic magic, const char* what) {
  void* data = nullptr;
  if (napi_get_value_external(e->env, value, &data) == napi_ok && data && !(reinterpret_cast<uintptr_t>(data) & 7)) {
    auto* box = static_cast<ValueBox<T>*>(data);
    if (box->magic == magic) return box->value;
  }
  throw ArgumentError(std::string("expected ") + what + ", got " + describe(e->env, value));
}

// ---- running JavaScript from autograd ----

extern std::atomic<int64_t> scriptNodes;  // gradient functions and hooks written in JavaScript and alive

// Runs `work` on the JavaScript thread: directly when we are on it, otherwise through the pump that waits in runEngine().
inline void runScript(Environment* e, const std::shared_ptr<ReferenceQueue>& alive, const std::function<void()>& work) {
  if (std::unique_lock<std::mutex> lock(alive->mutex); alive->closed) throw std::runtime_error("a gradient function belongs to a worker thread that has ended");
  if (std::this_thread::get_id() == e->thread) return work();
  if (!e->pumping) throw std::runtime_error("a gradient function written in JavaScript can only run in a backward pass started by its own thread");
  ScriptTask task([&, state = at::ThreadLocalState()] { at::ThreadLocalStateGuard guard(state); work(); });
  e->post(&task);
  task.get_future().get();
}

// Keeps the JavaScript exception (if one is pending) for the way back, and leaves C++ with ScriptError.
inline void checkScript(Environment* e, napi_status status, const char* what) {
  if (status != napi_pending_exception) return check(status, what);
  napi_value error, text;
  if (napi_get_and_clear_last_exception(e->env, &error) == napi_ok) {
    if (e->thrown) napi_delete_reference(e->env, e->thrown);
    e->thrown = nullptr;
    // A primitive cannot be referenced before Node-API 10: it travels as the message of an error.
    if (napi_create_reference(e->env, error, 1, &e->thrown) != napi_ok && napi_coerce_to_string(e->env, error, &text) == napi_ok && napi_create_error(e->env, nullptr, text, &error) == napi_ok)
      napi_create_reference(e->env, error, 1, &e->thrown);
  }
  throw ScriptError();
}

}  // namespace praxis
