// Operators by name: a plan made once from the schema, then boxed calls through it.
#pragma once
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>

#include <cmath>

#include "environment.h"

namespace praxis {

enum class Kind : uint8_t { tensor, scalar, integer, floating, boolean, string, device, generator, stream, unsupported };

struct ArgumentPlan {
  std::string name;
  Kind kind = Kind::unsupported;
  bool list = false;
  bool optional = false;         // the argument itself may be null
  bool optionalElement = false;  // list elements may be null
  int32_t size = 0;              // N of int[N]: one number stands for N of them
  bool hasDefault = false;
  c10::IValue fallback;
  c10::TypePtr element;
  c10::IValue spare;  // an int[] to use again when the engine did not keep it
};

struct Plan {
  c10::OperatorHandle op;
  std::vector<ArgumentPlan> arguments;
  std::vector<bool> returnsArgument;  // an in-place or out result: JavaScript already holds it
  std::string title;
  explicit Plan(c10::OperatorHandle handle) : op(handle) {}
};

inline bool kindOf(const c10::TypePtr& type, Kind& kind) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType: kind = Kind::tensor; return true;
    case c10::TypeKind::NumberType: kind = Kind::scalar; return true;
    case c10::TypeKind::IntType: kind = Kind::integer; return true;
    case c10::TypeKind::FloatType: kind = Kind::floating; return true;
    case c10::TypeKind::BoolType: kind = Kind::boolean; return true;
    case c10::TypeKind::StringType: kind = Kind::string; return true;
    case c10::TypeKind::DeviceObjType: kind = Kind::device; return true;
    case c10::TypeKind::GeneratorType: kind = Kind::generator; return true;
    case c10::TypeKind::StreamObjType: kind = Kind::stream; return true;
    default: return false;
  }
}

// Fills the plan of one argument; an empty string, or why it cannot be passed from JavaScript.
inline std::string planArgument(const c10::Argument& argument, ArgumentPlan& plan) {
  plan.name = argument.name();
  c10::TypePtr type = argument.type();
  if (type->kind() == c10::TypeKind::OptionalType) {
    plan.optional = true;
    type = type->castRaw<c10::OptionalType>()->getElementType();
  }
  if (type->kind() == c10::TypeKind::ListType) {
    plan.list = true;
    type = type->castRaw<c10::ListType>()->getElementType();
    if (type->kind() == c10::TypeKind::OptionalType) {
      plan.optionalElement = true;
      type = type->castRaw<c10::OptionalType>()->getElementType();
    }
  }
  if (!kindOf(type, plan.kind) || (plan.list && (plan.kind == Kind::device || plan.kind == Kind::generator || plan.kind == Kind::stream)))
    return "argument '" + plan.name + "' has type " + argument.type()->str();
  if (plan.optionalElement && plan.kind != Kind::tensor) return "argument '" + plan.name + "' has type " + argument.type()->str();
  plan.element = type;
  if (argument.N()) plan.size = static_cast<int32_t>(*argument.N());
  if (argument.default_value()) {
    plan.hasDefault = true;
    plan.fallback = *argument.default_value();
  }
  return "";
}

inline std::unique_ptr<Plan> makePlan(const c10::OperatorHandle& op, std::string& reason) {
  auto plan = std::make_unique<Plan>(op);
  const auto& schema = op.schema();
  plan->title = c10::toString(op.operator_name());
  for (const auto& argument : schema.arguments()) {
    plan->arguments.emplace_back();
    reason = planArgument(argument, plan->arguments.back());
    if (!reason.empty()) return nullptr;
  }
  for (const auto& result : schema.returns()) {
    Kind kind;
    c10::TypePtr type = result.type();
    if (type->kind() == c10::TypeKind::OptionalType) type = type->castRaw<c10::OptionalType>()->getElementType();
    if (type->kind() == c10::TypeKind::ListType) type = type->castRaw<c10::ListType>()->getElementType();
    if (!kindOf(type, kind) || kind == Kind::generator || kind == Kind::stream) {
      reason = "a result has type " + result.type()->str();
      return nullptr;
    }
    plan->returnsArgument.push_back(result.alias_info() && result.alias_info()->isWrite());
  }
  return plan;
}

// ---- JavaScript → engine ----

[[noreturn]] inline void wrongType(Environment* e, const ArgumentPlan& argument, napi_value value, const char* expected) {
  throw ArgumentError("argument '" + argument.name + "' must be " + expected + ", got " + describe(e->env, value));
}

inline bool isNothing(Environment* e, napi_value value, napi_valuetype& type) {
  check(napi_typeof(e->env, value, &type), "look at a value");
  return type == napi_undefined || type == napi_null;
}

inline int64_t exactInteger(double number, const ArgumentPlan& argument) {
  if (number != std::floor(number) || std::abs(number) > 9007199254740992.0) {
    char text[40];
    snprintf(text, sizeof text, "%.17g", number);
    throw ArgumentError("argument '" + argument.name + "' must be an integer, got the number " + text);
  }
  return static_cast<int64_t>(number);
}

inline int64_t toInteger(Environment* e, napi_value value, const ArgumentPlan& argument) {
  double number;
  if (napi_get_value_double(e->env, value, &number) == napi_ok) return exactInteger(number, argument);
  int64_t exact;
  bool lossless;
  if (napi_get_value_bigint_int64(e->env, value, &exact, &lossless) == napi_ok) {
    if (!lossless) throw ArgumentError("argument '" + argument.name + "' must fit 64 bits");
    return exact;
  }
  wrongType(e, argument, value, "an integer");
}

inline double toDouble(Environment* e, napi_value value, const ArgumentPlan& argument) {
  double number;
  if (napi_get_value_double(e->env, value, &number) != napi_ok) wrongType(e, argument, value, "a number");
  return number;
}

inline bool toBool(Environment* e, napi_value value, const ArgumentPlan& argument) {
  bool flag;
  if (napi_get_value_bool(e->env, value, &flag) != napi_ok) wrongType(e, argument, value, "true or false");
  return flag;
}

inline std::string toText(Environment* e, napi_value value, const ArgumentPlan& argument) {
  size_t length;
  if (napi_get_value_string_utf8(e->env, value, nullptr, 0, &length) != napi_ok) wrongType(e, argument, value, "a string");
  std::string text(length, '\0');
  check(napi_get_value_string_utf8(e->env, value, &text[0], length + 1, &length), "read a string");
  return text;
}

inline bool getNumber(Environment* e, napi_value object, const char* name, double& number) {
  napi_value value;
  return napi_get_named_property(e->env, object, name, &value) == napi_ok && napi_get_value_double(e->env, value, &number) == napi_ok;
}

// An integral number becomes an int scalar (so int tensors stay int), any other a float; {float: 2} forces a float.
inline c10::IValue toScalar(Environment* e, napi_value value, const ArgumentPlan& argument) {
  napi_valuetype type;
  check(napi_typeof(e->env, value, &type), "look at a value");
  if (type == napi_number) {
    double number = toDouble(e, value, argument);
    bool integral = number == std::floor(number) && std::abs(number) <= 9007199254740992.0 && !(number == 0 && std::signbit(number));
    return integral ? c10::IValue(static_cast<int64_t>(number)) : c10::IValue(number);
  }
  if (type == napi_boolean) return toBool(e, value, argument);
  if (type == napi_bigint) return toInteger(e, value, argument);
  double first, second;
  if (type == napi_object) {
    if (getNumber(e, value, "re", first) && getNumber(e, value, "im", second)) return c10::IValue(c10::complex<double>(first, second));
    if (getNumber(e, value, "float", first)) return first;
  }
  wrongType(e, argument, value, "a number, boolean, bigint or {re, im}");
}

template <class Body>
void eachElement(Environment* e, napi_value array, const ArgumentPlan& argument, const char* expected, Body body) {
  bool isArray = false;
  napi_is_array(e->env, array, &isArray);
  if (!isArray) wrongType(e, argument, array, expected);
  uint32_t length;
  check(napi_get_array_length(e->env, array, &length), "measure an array");
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    checkScript(e, napi_get_element(e->env, array, i, &element), "read an array");
    body(element);
  }
}

inline const at::Tensor& tensorOf(Environment* e, double number, const ArgumentPlan& argument) {
  TensorBox* box = findBox(e, number);
  if (!box && number >= 0) throw ArgumentError("argument '" + argument.name + "' must be a tensor, got a number");
  if (!box || box->disposed) throw ArgumentError("argument '" + argument.name + "' is a tensor that has been disposed");
  return box->tensor;
}

inline const at::Tensor& tensorOf(Environment* e, napi_value value, const ArgumentPlan& argument) {
  double number;
  if (napi_get_value_double(e->env, value, &number) != napi_ok) wrongType(e, argument, value, "a tensor");
  return tensorOf(e, number, argument);
}

// The next list in the scratch memory: its length, then its elements.
template <class Body>
void eachScratch(Environment* e, const ArgumentPlan& argument, Body body) {
  const double length = e->cursor < e->scratchSize ? e->scratch[e->cursor++] : -1;
  if (!(length >= 0 && length <= static_cast<double>(e->scratchSize - e->cursor))) throw ArgumentError("argument '" + argument.name + "' is not in the scratch memory");
  for (size_t end = e->cursor + static_cast<size_t>(length); e->cursor < end;) body(e->scratch[e->cursor++]);
}

inline c10::IValue toIntegers(Environment* e, napi_value value, napi_valuetype type, ArgumentPlan& argument) {
  // Most int[] arguments live for one call: the list is used again unless the engine kept it.
  c10::List<int64_t> list = argument.spare.isNone() ? c10::List<int64_t>() : std::move(argument.spare).toIntList();
  argument.spare = c10::IValue();
  if (list.use_count() > 1) list = c10::List<int64_t>();
  list.clear();
  if (type == napi_boolean) {
    eachScratch(e, argument, [&](double x) { list.push_back(exactInteger(x, argument)); });
  } else if (type == napi_number || type == napi_bigint) {
    if (!argument.size) wrongType(e, argument, value, "an array of integers");
    for (int32_t i = 0; i < argument.size; i++) list.push_back(toInteger(e, value, argument));
  } else {
    eachElement(e, value, argument, argument.size ? "an integer or an array of integers" : "an array of integers", [&](napi_value x) { list.push_back(toInteger(e, x, argument)); });
  }
  c10::IValue result(std::move(list));
  argument.spare = result;
  return result;
}

inline c10::IValue toList(Environment* e, napi_value value, napi_valuetype type, ArgumentPlan& argument) {
  switch (argument.kind) {
    case Kind::integer: return toIntegers(e, value, type, argument);
    case Kind::tensor: {
      if (argument.optionalElement) {
        c10::List<c10::optional<at::Tensor>> list;
        eachElement(e, value, argument, "an array of tensors", [&](napi_value x) {
          napi_valuetype elementType;
          if (isNothing(e, x, elementType)) list.push_back(c10::optional<at::Tensor>());
          else list.push_back(c10::optional<at::Tensor>(tensorOf(e, x, argument)));
        });
        return list;
      }
      c10::List<at::Tensor> list;
      if (type == napi_boolean) eachScratch(e, argument, [&](double x) { list.push_back(tensorOf(e, x, argument)); });
      else eachElement(e, value, argument, "an array of tensors", [&](napi_value x) { list.push_back(tensorOf(e, x, argument)); });
      return list;
    }
    case Kind::floating: {
      c10::List<double> list;
      if (type == napi_number && argument.size)
        for (int32_t i = 0; i < argument.size; i++) list.push_back(toDouble(e, value, argument));
      else eachElement(e, value, argument, "an array of numbers", [&](napi_value x) { list.push_back(toDouble(e, x, argument)); });
      return list;
    }
    case Kind::boolean: {
      c10::List<bool> list;
      if (type == napi_boolean && argument.size)
        for (int32_t i = 0; i < argument.size; i++) list.push_back(toBool(e, value, argument));
      else eachElement(e, value, argument, "an array of booleans", [&](napi_value x) { list.push_back(toBool(e, x, argument)); });
      return list;
    }
    case Kind::string: {
      c10::List<std::string> list;
      eachElement(e, value, argument, "an array of strings", [&](napi_value x) { list.push_back(toText(e, x, argument)); });
      return list;
    }
    default: {
      c10::impl::GenericList list(argument.element);
      eachElement(e, value, argument, "an array of numbers", [&](napi_value x) { list.push_back(toScalar(e, x, argument)); });
      return list;
    }
  }
}

inline c10::IValue toEngine(Environment* e, napi_value value, ArgumentPlan& argument) {
  if (!argument.list && argument.kind == Kind::tensor) {  // by far the most frequent: no look at the type first
    double number;
    if (napi_get_value_double(e->env, value, &number) == napi_ok) return tensorOf(e, number, argument);
  }
  napi_valuetype type;
  if (isNothing(e, value, type)) {
    if (type == napi_undefined && argument.hasDefault) return argument.fallback;
    if (argument.optional) return c10::IValue();
    throw ArgumentError("argument '" + argument.name + "' is " + (type == napi_undefined ? "missing" : "null"));
  }
  if (argument.list) return toList(e, value, type, argument);
  switch (argument.kind) {
    case Kind::scalar: return toScalar(e, value, argument);
    case Kind::integer: return toInteger(e, value, argument);
    case Kind::floating: return toDouble(e, value, argument);
    case Kind::boolean: return toBool(e, value, argument);
    case Kind::string: return toText(e, value, argument);
    case Kind::device: return c10::Device(toText(e, value, argument));
    case Kind::generator: return c10::IValue(unwrapValue<at::Generator>(e, value, Magic::generator, "a generator"));
    case Kind::stream: return c10::IValue(unwrapValue<c10::Stream>(e, value, Magic::stream, "a stream"));
    default: wrongType(e, argument, value, "a tensor");
  }
}

// ---- engine → JavaScript ----

inline napi_value fromInteger(Environment* e, int64_t number) {
  napi_value result;
  constexpr int64_t exact = int64_t(1) << 53;
  if (number >= -exact && number <= exact) check(napi_create_int64(e->env, number, &result), "make a number");
  else check(napi_create_bigint_int64(e->env, number, &result), "make a bigint");
  return result;
}

inline napi_value fromDouble(Environment* e, double number) {
  napi_value result;
  check(napi_create_double(e->env, number, &result), "make a number");
  return result;
}

inline napi_value fromBool(Environment* e, bool flag) {
  napi_value result;
  check(napi_get_boolean(e->env, flag, &result), "make a boolean");
  return result;
}

inline napi_value fromText(Environment* e, const std::string& text) {
  napi_value result;
  check(napi_create_string_utf8(e->env, text.data(), text.size(), &result), "make a string");
  return result;
}

inline napi_value fromComplex(Environment* e, double re, double im) {
  napi_value result;
  check(napi_create_object(e->env, &result), "make an object");
  check(napi_set_named_property(e->env, result, "re", fromDouble(e, re)), "fill an object");
  check(napi_set_named_property(e->env, result, "im", fromDouble(e, im)), "fill an object");
  return result;
}

template <class Items, class Convert>
napi_value fromItems(Environment* e, const Items& items, Convert convert) {
  napi_value result;
  check(napi_create_array_with_length(e->env, items.size(), &result), "make an array");
  uint32_t index = 0;
  for (const auto& item : items) check(napi_set_element(e->env, result, index++, convert(item)), "fill an array");
  return result;
}

inline napi_value fromEngine(Environment* e, c10::IValue&& value) {
  if (value.isTensor()) return wrapTensor(e, std::move(value).toTensor());
  if (value.isInt()) return fromInteger(e, value.toInt());
  if (value.isDouble()) return fromDouble(e, value.toDouble());
  if (value.isBool()) return fromBool(e, value.toBool());
  if (value.isString()) return fromText(e, value.toStringRef());
  if (value.isDevice()) return fromText(e, value.toDevice().str());
  if (value.isComplexDouble()) return fromComplex(e, value.toComplexDouble().real(), value.toComplexDouble().imag());
  if (value.isList()) return fromItems(e, value.toListRef(), [&](const c10::IValue& x) { return fromEngine(e, c10::IValue(x)); });
  if (value.isTuple()) return fromItems(e, value.toTupleRef().elements(), [&](const c10::IValue& x) { return fromEngine(e, c10::IValue(x)); });
  if (!value.isNone()) throw std::runtime_error("the operator returned a " + value.tagKind() + ", which has no JavaScript form");
  napi_value result;
  check(napi_get_null(e->env, &result), "make null");
  return result;
}

// Empties the stack of this depth even when an operator throws.
struct StackScope {
  Environment* e;
  size_t index;
  explicit StackScope(Environment* environment) : e(environment), index(environment->depth++) {
    if (e->stacks.size() <= index) e->stacks.resize(index + 1);
  }
  ~StackScope() {
    e->stacks[index].clear();
    e->depth--;
  }
};

inline napi_value callOperator(Environment* e, Plan& plan, napi_value shell, size_t count, napi_value* values) {
  if (count > plan.arguments.size())
    throw ArgumentError(plan.title + " takes at most " + std::to_string(plan.arguments.size()) + " arguments, got " + std::to_string(count));
  StackScope scope(e);
  // Moved out for the call: a hook that runs inside may grow e->stacks.
  std::vector<c10::IValue> stack = std::move(e->stacks[scope.index]);
  struct Return {
    std::vector<c10::IValue>& stack;
    StackScope& scope;
    ~Return() {
      stack.clear();
      scope.e->stacks[scope.index] = std::move(stack);
    }
  } giveBack{stack, scope};
  stack.reserve(plan.arguments.size());
  e->cursor = 0;
  for (size_t i = 0; i < plan.arguments.size(); i++) {
    ArgumentPlan& argument = plan.arguments[i];
    if (i < count) stack.push_back(toEngine(e, values[i], argument));
    else if (argument.hasDefault) stack.push_back(argument.fallback);
    else if (argument.optional) stack.emplace_back();
    else throw ArgumentError(plan.title + ": argument '" + argument.name + "' is missing");
  }
  plan.op.callBoxed(&stack);
  const size_t results = plan.returnsArgument.size();
  napi_value result = nullptr;
  if (results == 1) {
    if (plan.returnsArgument[0] || stack.empty()) return nullptr;
    return shell && stack[0].isTensor() ? wrapTensor(e, std::move(stack[0]).toTensor(), shell) : fromEngine(e, std::move(stack[0]));
  }
  if (results > 1) {
    check(napi_create_array_with_length(e->env, results, &result), "make an array");
    for (size_t i = 0; i < results && i < stack.size(); i++)
      if (!plan.returnsArgument[i]) check(napi_set_element(e->env, result, static_cast<uint32_t>(i), fromEngine(e, std::move(stack[i]))), "fill an array");
  }
  return result;
}

}  // namespace praxis
