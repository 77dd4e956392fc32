// Backward passes, hooks and gradient functions written in TypeScript.
#pragma once
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

#include "operators.h"

namespace praxis {

using torch::autograd::Node;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;
// shared_ptr until 2.12, intrusive_ptr from 2.13: take whatever the engine uses.
using NodePointer = std::decay_t<decltype(std::declval<at::Tensor>().grad_fn())>;

// One call of a JavaScript function with handles in and handles (or null) out.
inline variable_list callGradientFunction(Environment* e, ScriptReference& function, const std::vector<variable_list>& groups, size_t expected, const char* what) {
  napi_env env = e->env;
  napi_handle_scope scope;
  check(napi_open_handle_scope(env, &scope), "open a scope");
  struct Close {
    napi_env env;
    napi_handle_scope scope;
    ~Close() { napi_close_handle_scope(env, scope); }
  } close{env, scope};
  napi_value callback, undefined, result;
  check(napi_get_reference_value(env, function.reference, &callback), "find a function");
  if (!callback) throw std::runtime_error("a gradient function has been collected");
  check(napi_get_undefined(env, &undefined), "make undefined");
  std::vector<napi_value> arguments;
  for (const auto& group : groups) arguments.push_back(fromItems(e, group, [&](const at::Tensor& t) { return wrapTensor(e, t); }));
  checkScript(e, napi_call_function(env, undefined, callback, arguments.size(), arguments.data(), &result), "call a gradient function");
  variable_list gradients;
  bool isArray = false;
  napi_is_array(env, result, &isArray);
  if (!isArray) throw ArgumentError(std::string(what) + " must return an array of gradients, got " + describe(env, result));
  uint32_t length = 0;
  check(napi_get_array_length(env, result, &length), "measure an array");
  if (length != expected)
    throw ArgumentError(std::string(what) + " must return " + std::to_string(expected) + " gradients (one per input, null for none), got " + std::to_string(length));
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_valuetype type;
    checkScript(e, napi_get_element(env, result, i, &element), "read an array");
    gradients.push_back(isNothing(e, element, type) ? at::Tensor() : unwrapTensor(e, element, "a returned gradient"));
  }
  return gradients;
}

// A custom autograd function. Saved outputs go through SavedVariable, so that the graph does not keep itself alive.
struct ScriptNode : Node {
  Environment* environment;
  std::shared_ptr<ReferenceQueue> alive;
  ScriptReference function;
  std::vector<SavedVariable> saved;
  std::string title;
  std::vector<bool> differentiable;  // one per output; the gradient of the others is always null
  bool released = false;
  ScriptNode(Environment* e, napi_value callback, std::string name) : environment(e), alive(e->references), function(e, callback), title(std::move(name)) { scriptNodes++; }
  ~ScriptNode() override { scriptNodes--; }
  std::string name() const override { return title; }
  void release_variables() override {
    saved.clear();
    released = true;
  }

  template <class T>
  static NodePointer pointerTo(T* node) {
    if constexpr (std::is_same<NodePointer, std::shared_ptr<T>>::value) return node->shared_from_this();
    else return node->getptr();
  }

  variable_list apply(variable_list&& gradients) override {
    if (released) throw std::runtime_error("Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Specify retainGraph: true if you need to backward through the graph a second time.");
    variable_list unpacked;
    for (auto& variable : saved) unpacked.push_back(variable.unpack(pointerTo<Node>(this)));
    for (size_t i = 0; i < gradients.size(); i++)
      if (!gradients[i].defined() && differentiable[i]) gradients[i] = input_metadata(i).zeros_like();
    variable_list result;
    runScript(environment, alive, [&] { result = callGradientFunction(environment, function, {gradients, unpacked}, num_outputs(), ("the backward of " + title).c_str()); });
    return result;
  }
};

template <class Pointer>
Pointer makeNode(Environment* e, napi_value callback, const std::string& name) {
  if constexpr (std::is_same<Pointer, std::shared_ptr<Node>>::value) return Pointer(static_cast<Node*>(new ScriptNode(e, callback, name)), [](auto* node) { deleteNode(node); });
  else return c10::make_intrusive<ScriptNode>(e, callback, name);
}

// Runs the autograd engine. Graphs with JavaScript nodes on an accelerator run their nodes on the device's own thread: there the engine works on a
// helper thread while this one serves the callbacks, or both would wait for each other.
inline void runEngine(Environment* e, const std::function<void()>& work) {
  if (scriptNodes == 0 || !(e->pumpAlways || at::hasCUDA() || at::hasMPS()) || e->pumping) return work();
  at::ThreadLocalState state;
  std::exception_ptr error;
  bool finished = false;
  e->pumping = true;
  std::thread helper([&] {
    try {
      at::ThreadLocalStateGuard guard(state);
      work();
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard<std::mutex> lock(e->pumpMutex);
    finished = true;
    e->pumpSignal.notify_all();
  });
  {
    std::unique_lock<std::mutex> lock(e->pumpMutex);
    while (true) {
      e->pumpSignal.wait(lock, [&] { return finished || !e->pumpTasks.empty(); });
      if (e->pumpTasks.empty()) break;
      ScriptTask* task = e->pumpTasks.front();
      e->pumpTasks.pop_front();
      lock.unlock();
      try {
        task->run();
      } catch (...) {
        task->error = std::current_exception();
      }
      lock.lock();
      task->done = true;
      e->pumpSignal.notify_all();
    }
    e->pumping = false;
  }
  helper.join();
  if (error) std::rethrow_exception(error);
}

inline variable_list tensorList(Environment* e, napi_value array, const char* what) {
  variable_list list;
  bool isArray = false;
  napi_is_array(e->env, array, &isArray);
  if (!isArray) throw ArgumentError(std::string(what) + " must be an array of tensors, got " + describe(e->env, array));
  uint32_t length;
  check(napi_get_array_length(e->env, array, &length), "measure an array");
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_valuetype type;
    checkScript(e, napi_get_element(e->env, array, i, &element), "read an array");
    list.push_back(isNothing(e, element, type) ? at::Tensor() : unwrapTensor(e, element, what));
  }
  return list;
}

inline void requireDefined(const variable_list& list, const char* what) {
  for (const auto& tensor : list)
    if (!tensor.defined()) throw ArgumentError(std::string(what) + " must not contain null");
}

inline bool flag(Environment* e, napi_value value, const char* what) {
  bool on;
  if (napi_get_value_bool(e->env, value, &on) != napi_ok) throw ArgumentError(std::string(what) + " must be true or false, got " + describe(e->env, value));
  return on;
}

inline std::string text(Environment* e, napi_value value, const char* what) {
  ArgumentPlan argument;
  argument.name = what;
  return toText(e, value, argument);
}

inline int64_t integer(Environment* e, napi_value value, const char* what) {
  ArgumentPlan argument;
  argument.name = what;
  return toInteger(e, value, argument);
}

namespace entry {

inline napi_value getGrad(Environment* e, napi_value* a) { return wrapTensor(e, unwrapTensor(e, a[0], "the tensor").grad()); }

inline napi_value setGrad(Environment* e, napi_value* a) {
  const at::Tensor& tensor = unwrapTensor(e, a[0], "the tensor");
  napi_valuetype type;
  at::Tensor grad = isNothing(e, a[1], type) ? at::Tensor() : unwrapTensor(e, a[1], "the gradient");
  if (grad.defined() && (!grad.sizes().equals(tensor.sizes()) || grad.device() != tensor.device() || grad.scalar_type() != tensor.scalar_type()))
    throw ArgumentError("the gradient must have the tensor's shape, dtype and device");
  tensor.mutable_grad() = grad;
  return nullptr;
}

inline napi_value gradFnName(Environment* e, napi_value* a) {
  const auto& node = unwrapTensor(e, a[0], "the tensor").grad_fn();
  if (node) return fromText(e, node->name());
  return wrapTensor(e, at::Tensor());
}

inline napi_value backward(Environment* e, napi_value* a) {
  variable_list roots = tensorList(e, a[0], "the tensors"), gradients = tensorList(e, a[1], "the gradients"), inputs;
  requireDefined(roots, "the tensors");
  if (roots.empty()) throw ArgumentError("backward needs at least one tensor");
  if (gradients.size() != roots.size()) throw ArgumentError("backward needs one gradient (or null) per tensor");
  bool retain = flag(e, a[2], "retainGraph"), create = flag(e, a[3], "createGraph");
  napi_valuetype type;
  if (!isNothing(e, a[4], type)) {
    inputs = tensorList(e, a[4], "the inputs");
    requireDefined(inputs, "the inputs");
    if (inputs.empty()) throw ArgumentError("inputs must not be an empty array");
  }
  runEngine(e, [&] { torch::autograd::backward(roots, gradients, retain, create, inputs); });
  return nullptr;
}

inline napi_value grad(Environment* e, napi_value* a) {
  variable_list outputs = tensorList(e, a[0], "the outputs"), inputs = tensorList(e, a[1], "the inputs"), gradients = tensorList(e, a[2], "the gradients");
  requireDefined(outputs, "the outputs");
  requireDefined(inputs, "the inputs");
  if (outputs.empty() || inputs.empty()) throw ArgumentError("grad needs at least one output and one input");
  if (gradients.size() != outputs.size()) throw ArgumentError("grad needs one gradient (or null) per output");
  bool retain = flag(e, a[3], "retainGraph"), create = flag(e, a[4], "createGraph"), unused = flag(e, a[5], "allowUnused");
  variable_list result;
  runEngine(e, [&] { result = torch::autograd::grad(outputs, inputs, gradients, retain, create, unused); });
  return fromItems(e, result, [&](const at::Tensor& t) { return wrapTensor(e, t); });
}

struct CountedHook : ScriptReference {
  CountedHook(Environment* e, napi_value value) : ScriptReference(e, value) { scriptNodes++; }
  ~CountedHook() { scriptNodes--; }
};

inline napi_value addHook(Environment* e, napi_value* a) {
  const at::Tensor& tensor = unwrapTensor(e, a[0], "the tensor");
  napi_valuetype type;
  check(napi_typeof(e->env, a[1], &type), "look at a value");
  if (type != napi_function) throw ArgumentError("a hook must be a function, got " + describe(e->env, a[1]));
  if (!tensor.requires_grad()) throw ArgumentError("cannot register a hook on a tensor that doesn't require gradient");
  auto hook = std::make_shared<CountedHook>(e, a[1]);
  auto alive = e->references;
  unsigned id = tensor.register_hook([e, hook, alive](at::Tensor gradient) -> at::Tensor {
    variable_list result;
    runScript(e, alive, [&] { result = callGradientFunction(e, *hook, {{gradient}}, 1, "a hook"); });
    return result[0];
  });
  return fromInteger(e, id);
}

inline napi_value removeHook(Environment* e, napi_value* a) {
  unwrapTensor(e, a[0], "the tensor").remove_hook(static_cast<unsigned>(integer(e, a[1], "id")));
  return nullptr;
}

inline napi_value customNode(Environment* e, napi_value* a) {
  std::string name = text(e, a[0], "name");
  variable_list inputs = tensorList(e, a[1], "the inputs"), outputs = tensorList(e, a[2], "the outputs"), saved = tensorList(e, a[3], "the saved tensors");
  requireDefined(outputs, "the outputs");
  napi_valuetype type;
  check(napi_typeof(e->env, a[4], &type), "look at a value");
  if (type != napi_function) throw ArgumentError("backward must be a function, got " + describe(e->env, a[4]));
  NodePointer pointer = makeNode<NodePointer>(e, a[4], name);
  auto* node = static_cast<ScriptNode*>(pointer.get());
  torch::autograd::edge_list edges;
  for (const auto& input : inputs) edges.push_back(input.defined() ? torch::autograd::impl::gradient_edge(input) : torch::autograd::Edge());
  node->set_next_edges(std::move(edges));
  variable_list results;
  for (auto& output : outputs) {
    // A fresh tensor object over the same memory: the one given may be an input, or known to somebody else.
    at::Tensor fresh = output.detach();
    node->differentiable.push_back(torch::autograd::isDifferentiableType(fresh.scalar_type()));
    if (node->differentiable.back()) torch::autograd::set_history(fresh, pointer);
    else node->add_input_metadata(Node::undefined_input());
    results.push_back(fresh);
  }
  for (auto& tensor : saved) {
    ptrdiff_t output = -1;
    for (size_t i = 0; tensor.defined() && i < outputs.size(); i++)
      if (tensor.unsafeGetTensorImpl() == outputs[i].unsafeGetTensorImpl()) output = static_cast<ptrdiff_t>(i);
    if (output >= 0) node->saved.emplace_back(results[output], true);
    else node->saved.emplace_back(tensor, false);
  }
  return fromItems(e, results, [&](const at::Tensor& t) { return wrapTensor(e, t); });
}

inline napi_value setPumpAlways(Environment* e, napi_value* a) {
  e->pumpAlways = flag(e, a[0], "the switch");
  return nullptr;
}

}  // namespace entry
}  // namespace praxis
