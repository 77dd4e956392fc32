// Operators by name: a plan made once from the schema, then boxed calls through it.
#pragma once
#include <ATen/ScalarOps.h>
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
  explicit ArgumentPlan(std::string title = "") : name(std::move(title)) {}
};

// view, reshape, permute, expand, …: boxing their one list costs as much as the operator itself.
using ListOperator = c10::TypedOperatorHandle<at::Tensor(const at::Tensor&, c10::SymIntArrayRef)>;

struct Plan {
  c10::OperatorHandle op;
  std::vector<ArgumentPlan> arguments;
  std::vector<bool> returnsArgument;  // an in-place or out result: JavaScript already holds it
  std::unique_ptr<ListOperator> direct;
  std::string title;
  explicit Plan(c10::OperatorHandle handle) : op(handle) {}
};

inline Kind kindOf(const c10::TypePtr& type) {
  using T = c10::TypeKind;
  static const std::pair<T, Kind> known[] = {{T::TensorType, Kind::tensor}, {T::NumberType, Kind::scalar}, {T::IntType, Kind::integer}, {T::FloatType, Kind::floating}, {T::BoolType, Kind::boolean},
                                             {T::StringType, Kind::string}, {T::DeviceObjType, Kind::device}, {T::GeneratorType, Kind::generator}, {T::StreamObjType, Kind::stream}};
  for (const auto& pair : known)
    if (pair.first == type->kind()) return pair.second;
  return Kind::unsupported;
}

// The type inside an optional or a list; says whether it was one.
template <class Wrapper>
bool unwrapType(c10::TypePtr& type, c10::TypeKind kind) {
  if (type->kind() != kind) return false;
  type = type->castRaw<Wrapper>()->getElementType();
  return true;
}

// Fills the plan of one argument; false when it cannot be passed from JavaScript.
inline bool planArgument(const c10::Argument& argument, ArgumentPlan& plan) {
  c10::TypePtr type = argument.type();
  plan.name = argument.name();
  plan.optional = unwrapType<c10::OptionalType>(type, c10::TypeKind::OptionalType);
  plan.list = unwrapType<c10::ListType>(type, c10::TypeKind::ListType);
  plan.optionalElement = plan.list && unwrapType<c10::OptionalType>(type, c10::TypeKind::OptionalType);
  plan.kind = kindOf(type);
  plan.element = type;
  if (argument.N()) plan.size = static_cast<int32_t>(*argument.N());
  plan.hasDefault = argument.default_value().has_value();
  if (plan.hasDefault) plan.fallback = *argument.default_value();
  return plan.kind != Kind::unsupported && !(plan.list && plan.kind >= Kind::device) && !(plan.optionalElement && plan.kind != Kind::tensor);
}

inline std::unique_ptr<Plan> makePlan(const c10::OperatorHandle& op) {
  auto plan = std::make_unique<Plan>(op);
  const auto& schema = op.schema();
  plan->title = c10::toString(op.operator_name());
  const std::string refusal = "operator " + plan->title + " cannot be called from JavaScript: ";
  for (const auto& argument : schema.arguments()) {
    plan->arguments.emplace_back();
    if (!planArgument(argument, plan->arguments.back())) throw ArgumentError(refusal + "argument '" + argument.name() + "' has type " + argument.type()->str());
  }
  for (const auto& result : schema.returns()) {
    c10::TypePtr type = result.type();
    unwrapType<c10::OptionalType>(type, c10::TypeKind::OptionalType);
    unwrapType<c10::ListType>(type, c10::TypeKind::ListType);
    if (kindOf(type) >= Kind::generator) throw ArgumentError(refusal + "a result has type " + result.type()->str());
    plan->returnsArgument.push_back(result.alias_info() && result.alias_info()->isWrite());
  }
  // The engine does not always refuse a signature that differs in the result.
  if (plan->arguments.size() != 2 || schema.returns().size() != 1 || schema.returns()[0].type()->kind() != c10::TypeKind::TensorType || plan->returnsArgument[0]) return plan;
  const auto &self = plan->arguments[0], &list = plan->arguments[1];
  if (self.kind == Kind::tensor && !self.list && !self.optional && list.kind == Kind::integer && list.list && !list.optional) {
    try {
      plan->direct = std::make_unique<ListOperator>(op.typed<at::Tensor(const at::Tensor&, c10::SymIntArrayRef)>());
    } catch (const c10::Error&) {  // its C++ signature is another one: the boxed call does
    }
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
  if (number == std::floor(number) && std::abs(number) <= 9007199254740992.0) return static_cast<int64_t>(number);
  throw ArgumentError("argument '" + argument.name + "' must be an integer, got the number " + std::to_string(number));
}

inline int64_t toInteger(Environment* e, napi_value value, const ArgumentPlan& argument) {
  double number;
  int64_t exact;
  bool lossless;
  if (napi_get_value_double(e->env, value, &number) == napi_ok) return exactInteger(number, argument);
  if (napi_get_value_bigint_int64(e->env, value, &exact, &lossless) != napi_ok) wrongType(e, argument, value, "an integer");
  if (!lossless) throw ArgumentError("argument '" + argument.name + "' must fit 64 bits");
  return exact;
}

template <class T>
T read(Environment* e, napi_value value, const ArgumentPlan& argument, napi_status (*get)(napi_env, napi_value, T*), const char* expected) {
  T result;
  if (get(e->env, value, &result) != napi_ok) wrongType(e, argument, value, expected);
  return result;
}
inline double toDouble(Environment* e, napi_value value, const ArgumentPlan& argument) { return read<double>(e, value, argument, napi_get_value_double, "a number"); }
inline bool toBool(Environment* e, napi_value value, const ArgumentPlan& argument) { return read<bool>(e, value, argument, napi_get_value_bool, "true or false"); }

inline std::string toText(Environment* e, napi_value value, const ArgumentPlan& argument) {
  size_t length;
  if (napi_get_value_string_utf8(e->env, value, nullptr, 0, &length) != napi_ok) wrongType(e, argument, value, "a string");
  std::string text(length, '\0');
  check(napi_get_value_string_utf8(e->env, value, &text[0], length + 1, &length), "read a string");
  return text;
}

inline const at::Tensor& tensorOf(Environment* e, double number, const ArgumentPlan& argument) {
  TensorBox* box = findBox(e, number);
  if (box && !box->disposed) return box->tensor;
  throw ArgumentError("argument '" + argument.name + (number < 0 ? "' is a tensor that has been disposed" : "' must be a tensor, got a number"));
}

inline const at::Tensor& toTensor(Environment* e, napi_value value, const ArgumentPlan& argument) {
  return tensorOf(e, read<double>(e, value, argument, napi_get_value_double, "a tensor"), argument);
}

// The next list in the scratch memory: its length, then its elements.
inline std::pair<const double*, size_t> nextScratch(Environment* e, const ArgumentPlan& argument, double least = 0) {
  const double length = e->cursor < e->scratchSize ? e->scratch[e->cursor++] : -1;
  if (!(length >= least && length <= static_cast<double>(e->scratchSize - e->cursor))) throw ArgumentError("argument '" + argument.name + "' is not in the scratch memory");
  const double* start = e->scratch + e->cursor;
  e->cursor += static_cast<size_t>(length);
  return {start, static_cast<size_t>(length)};
}

// An integral number becomes an int scalar (so int tensors stay int), any other a float.
inline at::Scalar scalarOf(double number) {
  const bool integral = number == std::floor(number) && std::abs(number) <= 9007199254740992.0 && !(number == 0 && std::signbit(number));
  return integral ? at::Scalar(static_cast<int64_t>(number)) : at::Scalar(number);
}

// {float: 2} forces a float, {re, im} is complex.
inline c10::IValue toScalar(Environment* e, napi_value value, const ArgumentPlan& argument) {
  napi_valuetype type;
  check(napi_typeof(e->env, value, &type), "look at a value");
  if (type == napi_number) return scalarOf(toDouble(e, value, argument));
  if (type == napi_boolean) return toBool(e, value, argument);
  if (type == napi_bigint) return toInteger(e, value, argument);
  auto field = [&](const char* name, double& number) {
    napi_value part;
    checkScript(e, napi_get_named_property(e->env, value, name, &part), "read a scalar");
    return napi_get_value_double(e->env, part, &number) == napi_ok;
  };
  double first, second;
  if (type == napi_object && field("re", first) && field("im", second)) return c10::IValue(c10::complex<double>(first, second));
  if (type == napi_object && field("float", first)) return first;
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

inline c10::IValue toIntegers(Environment* e, napi_value value, napi_valuetype type, ArgumentPlan& argument) {
  // Most int[] arguments live for one call: the list is used again unless the engine kept it.
  c10::List<int64_t> list = argument.spare.isNone() ? c10::List<int64_t>() : std::move(argument.spare).toIntList();
  argument.spare = c10::IValue();
  if (list.use_count() > 1) list = c10::List<int64_t>();
  list.clear();
  if (type == napi_boolean) {
    auto scratch = nextScratch(e, argument);
    for (size_t i = 0; i < scratch.second; i++) list.push_back(exactInteger(scratch.first[i], argument));
  } else if ((type == napi_number || type == napi_bigint) && argument.size) {
    for (int32_t i = 0; i < argument.size; i++) list.push_back(toInteger(e, value, argument));
  } else {
    eachElement(e, value, argument, argument.size ? "an integer or an array of integers" : "an array of integers", [&](napi_value x) { list.push_back(toInteger(e, x, argument)); });
  }
  c10::IValue result(std::move(list));
  argument.spare = result;
  return result;
}

inline c10::IValue toTensors(Environment* e, napi_value value, napi_valuetype type, ArgumentPlan& argument) {
  c10::List<at::Tensor> list;
  if (type == napi_boolean) {  // true: these tensors; false: their gradients
    const bool themselves = toBool(e, value, argument);
    auto scratch = nextScratch(e, argument);
    list.reserve(scratch.second);
    for (size_t i = 0; i < scratch.second; i++) {
      const at::Tensor& tensor = tensorOf(e, scratch.first[i], argument);
      if (!themselves && !tensor.grad().defined()) throw ArgumentError("argument '" + argument.name + "': a tensor has no gradient");
      list.push_back(themselves ? tensor : tensor.grad());
    }
  } else {
    eachElement(e, value, argument, "an array of tensors", [&](napi_value x) { list.push_back(toTensor(e, x, argument)); });
  }
  return list;
}

inline c10::IValue toList(Environment* e, napi_value value, napi_valuetype type, ArgumentPlan& argument) {
  if (argument.kind == Kind::integer) return toIntegers(e, value, type, argument);
  if (argument.kind == Kind::tensor && !argument.optionalElement) return toTensors(e, value, type, argument);
  if (argument.kind == Kind::tensor) {
    c10::List<c10::optional<at::Tensor>> list;
    napi_valuetype none;
    eachElement(e, value, argument, "an array of tensors", [&](napi_value x) { list.push_back(isNothing(e, x, none) ? c10::optional<at::Tensor>() : toTensor(e, x, argument)); });
    return list;
  }
  c10::impl::GenericList list(argument.element);
  auto push = [&](napi_value x) {
    if (argument.kind == Kind::floating) list.push_back(toDouble(e, x, argument));
    else if (argument.kind == Kind::boolean) list.push_back(toBool(e, x, argument));
    else if (argument.kind == Kind::string) list.push_back(toText(e, x, argument));
    else list.push_back(toScalar(e, x, argument));
  };
  if ((type == napi_number || type == napi_boolean) && argument.size)
    for (int32_t i = 0; i < argument.size; i++) push(value);
  else eachElement(e, value, argument, "an array", push);
  return list;
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
    case Kind::tensor:  // true: a number in the scratch memory, passed as Python passes the 2 of `x + 2` to the operator for tensors
      if (type == napi_boolean) return at::native::wrapped_scalar_tensor(scalarOf(*nextScratch(e, argument, 1).first));
      wrongType(e, argument, value, "a tensor");
    default: wrongType(e, argument, value, "a tensor");
  }
}

// ---- engine → JavaScript ----

template <class Make>
napi_value make(Make create) {
  napi_value result = nullptr;
  check(create(&result), "make a value");
  return result;
}
inline napi_value fromDouble(Environment* e, double x) { return make([&](napi_value* r) { return napi_create_double(e->env, x, r); }); }
inline napi_value fromBool(Environment* e, bool x) { return make([&](napi_value* r) { return napi_get_boolean(e->env, x, r); }); }
inline napi_value fromText(Environment* e, const std::string& x) { return make([&](napi_value* r) { return napi_create_string_utf8(e->env, x.data(), x.size(), r); }); }
inline napi_value fromInteger(Environment* e, int64_t x) {
  const bool exact = x >= -(int64_t(1) << 53) && x <= int64_t(1) << 53;
  return make([&](napi_value* r) { return exact ? napi_create_int64(e->env, x, r) : napi_create_bigint_int64(e->env, x, r); });
}

using Fields = std::initializer_list<std::pair<const char*, napi_value>>;
inline napi_value fromFields(Environment* e, Fields fields) {
  napi_value result = make([&](napi_value* r) { return napi_create_object(e->env, r); });
  for (const auto& field : fields) check(napi_set_named_property(e->env, result, field.first, field.second), "fill an object");
  return result;
}

template <class Items, class Convert>
napi_value fromItems(Environment* e, const Items& items, Convert convert) {
  napi_value result = make([&](napi_value* r) { return napi_create_array_with_length(e->env, items.size(), r); });
  uint32_t index = 0;
  for (const auto& item : items) check(napi_set_element(e->env, result, index++, convert(item)), "fill an array");
  return result;
}

inline napi_value fromEngine(Environment* e, c10::IValue&& value) {
  auto again = [&](const c10::IValue& x) { return fromEngine(e, c10::IValue(x)); };
  if (value.isTensor()) return wrapTensor(e, std::move(value).toTensor());
  if (value.isInt()) return fromInteger(e, value.toInt());
  if (value.isDouble()) return fromDouble(e, value.toDouble());
  if (value.isBool()) return fromBool(e, value.toBool());
  if (value.isString()) return fromText(e, value.toStringRef());
  if (value.isDevice()) return fromText(e, value.toDevice().str());
  if (value.isComplexDouble()) return fromFields(e, {{"re", fromDouble(e, value.toComplexDouble().real())}, {"im", fromDouble(e, value.toComplexDouble().imag())}});
  if (value.isList()) return fromItems(e, value.toListRef(), again);
  if (value.isTuple()) return fromItems(e, value.toTupleRef().elements(), again);
  if (value.isNone()) return wrapTensor(e, at::Tensor());
  throw std::runtime_error("the operator returned a " + value.tagKind() + ", which has no JavaScript form");
}

inline napi_value callOperator(Environment* e, Plan& plan, napi_value shell, size_t count, napi_value* values) {
  auto& arguments = plan.arguments;
  if (count > arguments.size()) throw ArgumentError(plan.title + " takes at most " + std::to_string(arguments.size()) + " arguments, got " + std::to_string(count));
  e->cursor = 0;
  double handle;
  bool scratch;
  if (plan.direct && count == 2 && napi_get_value_double(e->env, values[0], &handle) == napi_ok && napi_get_value_bool(e->env, values[1], &scratch) == napi_ok) {
    const at::Tensor& self = tensorOf(e, handle, arguments[0]);
    auto list = nextScratch(e, arguments[1]);
    c10::SmallVector<c10::SymInt, 6> integers;
    for (size_t i = 0; i < list.second; i++) integers.emplace_back(exactInteger(list.first[i], arguments[1]));
    return wrapTensor(e, plan.direct->call(self, integers), shell);
  }
  // Taken for the call and given back empty, also after a throw; a hook that calls operators meanwhile makes its own.
  struct Stack {
    Environment* e;
    std::vector<c10::IValue> values;
    explicit Stack(Environment* environment) : e(environment), values(std::move(environment->spareStack)) {}
    ~Stack() { values.clear(); e->spareStack = std::move(values); }
  } stack(e);
  stack.values.reserve(arguments.size());
  for (size_t i = 0; i < arguments.size(); i++) {
    if (i < count) stack.values.push_back(toEngine(e, values[i], arguments[i]));
    else if (arguments[i].hasDefault) stack.values.push_back(arguments[i].fallback);
    else if (arguments[i].optional) stack.values.emplace_back();
    else throw ArgumentError(plan.title + ": argument '" + arguments[i].name + "' is missing");
  }
  plan.op.callBoxed(&stack.values);
  const size_t results = std::min(plan.returnsArgument.size(), stack.values.size());
  if (results == 0) return nullptr;
  if (results == 1) {
    if (plan.returnsArgument[0]) return nullptr;
    return stack.values[0].isTensor() ? wrapTensor(e, std::move(stack.values[0]).toTensor(), shell) : fromEngine(e, std::move(stack.values[0]));
  }
  napi_value result = make([&](napi_value* r) { return napi_create_array_with_length(e->env, results, r); });
  for (size_t i = 0; i < results; i++)
    if (!plan.returnsArgument[i]) check(napi_set_element(e->env, result, static_cast<uint32_t>(i), fromEngine(e, std::move(stack.values[i]))), "fill an array");
  return result;
}

}  // namespace praxis
