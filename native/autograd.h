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

// The arguments of one entry point, converted on demand with their names in the errors.
struct In {
  Environment* e;
  napi_value* values;

  static ArgumentPlan named(const char* name) { return ArgumentPlan(name); }
  TensorBox* box(int i) const {
    double number = 0;
    napi_get_value_double(e->env, values[i], &number);
    if (number >= 0) throw ArgumentError("expected a tensor, got " + describe(e->env, values[i]));
    return findBox(e, number);  // null: disposed and forgotten
  }
  const at::Tensor& tensor(int i, const char* name = "self") const { return toTensor(e, values[i], named(name)); }
  bool flag(int i, const char* name) const { return toBool(e, values[i], named(name)); }
  std::string text(int i, const char* name) const { return toText(e, values[i], named(name)); }
  int64_t integer(int i, const char* name) const { return toInteger(e, values[i], named(name)); }
  bool nothing(int i) const { napi_valuetype type; return isNothing(e, values[i], type); }
  napi_value function(int i) const {
    napi_valuetype type;
    if (napi_typeof(e->env, values[i], &type) != napi_ok || type != napi_function) throw ArgumentError("expected a function, got " + describe(e->env, values[i]));
    return values[i];
  }
  variable_list tensors(int i, const char* name, bool allowNull = true) const {
    variable_list list;
    napi_valuetype type;
    eachElement(e, values[i], named(name), "an array", [&](napi_value x) { list.push_back(allowNull && isNothing(e, x, type) ? at::Tensor() : toTensor(e, x, named(name))); });
    return list;
  }
};

inline napi_value fromTensors(Environment* e, const variable_list& list) { return fromItems(e, list, [e](const at::Tensor& t) { return wrapTensor(e, t); }); }

// One call of a JavaScript function with lists of handles in and a list of handles (or null) out.
inline variable_list callGradientFunction(Environment* e, ScriptReference& function, const std::vector<variable_list>& groups, size_t expected, const std::string& what) {
  napi_handle_scope scope;
  check(napi_open_handle_scope(e->env, &scope), "open a scope");
  std::unique_ptr<Environment, std::function<void(Environment*)>> close(e, [scope](Environment* owner) { napi_close_handle_scope(owner->env, scope); });
  napi_value callback, undefined, result;
  check(napi_get_reference_value(e->env, function.reference, &callback), "find a function");
  check(napi_get_undefined(e->env, &undefined), "make undefined");
  std::vector<napi_value> arguments;
  for (const auto& group : groups) arguments.push_back(fromTensors(e, group));
  checkScript(e, napi_call_function(e->env, undefined, callback, arguments.size(), arguments.data(), &result), "call a gradient function");
  variable_list gradients = In{e, &result}.tensors(0, what.c_str());
  if (gradients.size() == expected) return gradients;
  throw ArgumentError(what + " must return " + std::to_string(expected) + " gradients (one per input, null for none), got " + std::to_string(gradients.size()));
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
  void release_variables() override { saved.clear(); released = true; }
  template <class T>
  static NodePointer pointerTo(T* node) {
    if constexpr (std::is_same<NodePointer, std::shared_ptr<T>>::value) return node->shared_from_this();
    else return node->getptr();
  }

  variable_list apply(variable_list&& gradients) override {
    if (released) throw std::runtime_error("Trying to backward through the graph a second time; give retainGraph: true the first time if you need to");
    variable_list unpacked, result;
    for (auto& variable : saved) unpacked.push_back(variable.unpack(pointerTo<Node>(this)));
    for (size_t i = 0; i < gradients.size(); i++)
      if (!gradients[i].defined() && differentiable[i]) gradients[i] = input_metadata(i).zeros_like();
    runScript(environment, alive, [&] { result = callGradientFunction(environment, function, {gradients, unpacked}, num_outputs(), "the backward of " + title); });
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
  e->pumping = true;
  auto helper = std::async(std::launch::async, [&, state = at::ThreadLocalState()] {
    std::shared_ptr<void> over(nullptr, [e](void*) { e->post(nullptr); });
    at::ThreadLocalStateGuard guard(state);
    work();
  });
  while (ScriptTask* task = e->next()) (*task)();
  e->pumping = false;
  helper.get();
}

inline napi_value backward(In in) {
  variable_list roots = in.tensors(0, "tensors", false), gradients = in.tensors(1, "gradients"), inputs;
  const bool retain = in.flag(2, "retainGraph"), create = in.flag(3, "createGraph");
  if (roots.empty()) throw ArgumentError("backward needs at least one tensor");
  if (gradients.size() != roots.size()) throw ArgumentError("backward needs one gradient (or null) per tensor");
  if (!in.nothing(4) && (inputs = in.tensors(4, "inputs", false)).empty()) throw ArgumentError("inputs must not be an empty array");
  runEngine(in.e, [&] { torch::autograd::backward(roots, gradients, retain, create, inputs); });
  return nullptr;
}

inline napi_value grad(In in) {
  variable_list outputs = in.tensors(0, "outputs", false), inputs = in.tensors(1, "inputs", false), gradients = in.tensors(2, "gradients"), result;
  const bool retain = in.flag(3, "retainGraph"), create = in.flag(4, "createGraph"), unused = in.flag(5, "allowUnused");
  if (outputs.empty() || inputs.empty()) throw ArgumentError("grad needs at least one output and one input");
  if (gradients.size() != outputs.size()) throw ArgumentError("grad needs one gradient (or null) per output");
  runEngine(in.e, [&] { result = torch::autograd::grad(outputs, inputs, gradients, retain, create, unused); });
  return fromTensors(in.e, result);
}

inline napi_value setGrad(In in) {
  const at::Tensor& tensor = in.tensor(0);
  at::Tensor grad = in.nothing(1) ? at::Tensor() : in.tensor(1, "grad");
  if (grad.defined() && (!grad.sizes().equals(tensor.sizes()) || grad.device() != tensor.device() || grad.scalar_type() != tensor.scalar_type()))
    throw ArgumentError("the gradient must have the tensor's shape, dtype and device");
  tensor.mutable_grad() = grad;
  return nullptr;
}

// 0: no tensor of the list has a gradient, 1: some have, 2: all have; `clear` then drops them.
inline napi_value gradients(In in) {
  auto scratch = (in.e->cursor = 0, nextScratch(in.e, In::named("tensors")));
  size_t count = 0;
  for (size_t i = 0; i < scratch.second; i++) {
    const at::Tensor& tensor = tensorOf(in.e, scratch.first[i], In::named("tensors"));
    count += tensor.grad().defined();
    if (in.flag(0, "clear")) tensor.mutable_grad() = at::Tensor();
  }
  return fromInteger(in.e, count == scratch.second ? 2 : count ? 1 : 0);
}

struct CountedHook : ScriptReference {
  CountedHook(Environment* e, napi_value value) : ScriptReference(e, value) { scriptNodes++; }
  ~CountedHook() { scriptNodes--; }
};

inline napi_value addHook(In in) {
  const at::Tensor& tensor = in.tensor(0);
  if (!tensor.requires_grad()) throw ArgumentError("cannot register a hook on a tensor that doesn't require gradient");
  auto hook = std::make_shared<CountedHook>(in.e, in.function(1));
  auto id = tensor.register_hook([e = in.e, hook, alive = in.e->references](at::Tensor gradient) -> at::Tensor {
    variable_list result;
    runScript(e, alive, [&] { result = callGradientFunction(e, *hook, {{gradient}}, 1, "a hook"); });
    return result[0];
  });
  return fromInteger(in.e, id);
}

inline napi_value customNode(In in) {
  variable_list inputs = in.tensors(1, "inputs"), outputs = in.tensors(2, "outputs", false), saved = in.tensors(3, "saved tensors"), results;
  NodePointer pointer = makeNode<NodePointer>(in.e, in.function(4), in.text(0, "name"));
  auto* node = static_cast<ScriptNode*>(pointer.get());
  torch::autograd::edge_list edges;
  for (const auto& input : inputs) edges.push_back(input.defined() ? torch::autograd::impl::gradient_edge(input) : torch::autograd::Edge());
  node->set_next_edges(std::move(edges));
  for (auto& output : outputs) {
    // A fresh tensor object over the same memory: the one given may be an input, or known to somebody else.
    at::Tensor fresh = output.detach();
    node->differentiable.push_back(torch::autograd::isDifferentiableType(fresh.scalar_type()));
    if (node->differentiable.back()) torch::autograd::set_history(fresh, pointer);
    else node->add_input_metadata(Node::undefined_input());
    results.push_back(fresh);
  }
  for (auto& tensor : saved) {
    auto same = std::find_if(outputs.begin(), outputs.end(), [&](const at::Tensor& output) { return tensor.is_same(output); });
    const bool isOutput = tensor.defined() && same != outputs.end();
    node->saved.emplace_back(isOutput ? results[same - outputs.begin()] : tensor, isOutput);
  }
  return fromTensors(in.e, results);
}

}  // namespace praxis
