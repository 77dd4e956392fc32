// Looking at tensors, and their bytes in and out.
#pragma once
#include <c10/core/ScalarType.h>

#include "autograd.h"

namespace praxis {
namespace entry {

inline napi_value dispose(Environment* e, napi_value* a) {
  double number = 0;
  napi_get_value_double(e->env, a[0], &number);
  TensorBox* box = number < 0 ? findBox(e, number) : unwrapBox(e, a[0], "the argument");
  if (!box) return nullptr;  // disposed before
  if (box->adopted) dropTensor(box);
  else freeBox(box);
  return nullptr;
}

inline napi_value isDisposed(Environment* e, napi_value* a) {
  double number = 0;
  napi_get_value_double(e->env, a[0], &number);
  TensorBox* box = number < 0 ? findBox(e, number) : unwrapBox(e, a[0], "the argument");
  return fromBool(e, !box || box->disposed);
}

// Makes a JavaScript object the owner of a handle: when the collector takes the object, the tensor goes too.
inline napi_value adopt(Environment* e, napi_value* a) {
  TensorBox* box = unwrapBox(e, a[1], "the handle");
  if (box->adopted) throw ArgumentError("the handle has an owner already");
  check(napi_add_finalizer(e->env, a[0], box, finalizeTensor, nullptr, nullptr), "own a handle");
  box->adopted = true;
  return nullptr;
}

inline napi_value setScratch(Environment* e, napi_value* a) {
  napi_typedarray_type type;
  size_t length, offset;
  void* data;
  napi_value buffer;
  napi_ref keep;
  if (napi_get_typedarray_info(e->env, a[0], &type, &length, &data, &buffer, &offset) != napi_ok || type != napi_float64_array) throw ArgumentError("the scratch memory must be a Float64Array");
  check(napi_create_reference(e->env, a[0], 1, &keep), "keep the scratch memory");  // as long as the thread
  e->scratch = static_cast<double*>(data);
  e->scratchSize = length;
  return nullptr;
}

inline napi_value scopeMark(Environment* e, napi_value*) { return fromInteger(e, e->births); }

// Disposes the tensors made since the mark, but for those to keep.
inline napi_value scopeClose(Environment* e, napi_value* a) {
  const int64_t mark = integer(e, a[0], "mark");
  std::unordered_set<TensorBox*> keep;
  ArgumentPlan argument;
  argument.name = "keep";
  eachElement(e, a[1], argument, "an array of tensors", [&](napi_value x) { keep.insert(unwrapBox(e, x, "a kept tensor")); });
  for (TensorBox *box = e->first, *next; box && box->sequence > mark; box = next) {
    next = box->next;
    if (keep.count(box)) continue;
    if (box->adopted) dropTensor(box);
    else freeBox(box);
  }
  return nullptr;
}

// Sequence number, bytes and handle of every live tensor, youngest first.
inline napi_value liveTensors(Environment* e, napi_value*) {
  std::vector<TensorBox*> boxes;
  for (TensorBox* box = e->first; box; box = box->next) boxes.push_back(box);
  return fromItems(e, boxes, [&](TensorBox* box) {
    std::vector<int64_t> row = {box->sequence, box->bytes, box->handle};
    return fromItems(e, row, [&](int64_t x) { return fromInteger(e, x); });
  });
}

inline napi_value memory(Environment* e, napi_value*) {
  std::unordered_set<const void*> seen;
  std::unordered_map<std::string, int64_t> bytes;
  for (TensorBox* box = e->first; box; box = box->next) {
    if (!box->tensor.has_storage()) continue;
    const auto& storage = box->tensor.storage();
    if (seen.insert(storage.unsafeGetStorageImpl()).second) bytes[box->tensor.device().str()] += static_cast<int64_t>(storage.nbytes());
  }
  napi_value result, perDevice;
  check(napi_create_object(e->env, &result), "make an object");
  check(napi_create_object(e->env, &perDevice), "make an object");
  for (const auto& entry : bytes) check(napi_set_named_property(e->env, perDevice, entry.first.c_str(), fromInteger(e, entry.second)), "fill an object");
  check(napi_set_named_property(e->env, result, "handles", fromInteger(e, e->handles)), "fill an object");
  check(napi_set_named_property(e->env, result, "bytes", perDevice), "fill an object");
  return result;
}

inline napi_value sameTensor(Environment* e, napi_value* a) {
  return fromBool(e, unwrapTensor(e, a[0], "the first argument").unsafeGetTensorImpl() == unwrapTensor(e, a[1], "the second argument").unsafeGetTensorImpl());
}

inline napi_value alias(Environment* e, napi_value* a) { return wrapTensor(e, unwrapTensor(e, a[0], "the tensor")); }

inline napi_value integers(Environment* e, at::IntArrayRef list) {
  return fromItems(e, list, [&](int64_t x) { return fromInteger(e, x); });
}

inline napi_value shape(Environment* e, napi_value* a) { return integers(e, unwrapTensor(e, a[0], "the tensor").sizes()); }
inline napi_value strides(Environment* e, napi_value* a) { return integers(e, unwrapTensor(e, a[0], "the tensor").strides()); }
inline napi_value dtype(Environment* e, napi_value* a) { return fromInteger(e, static_cast<int64_t>(unwrapTensor(e, a[0], "the tensor").scalar_type())); }
inline napi_value device(Environment* e, napi_value* a) { return fromText(e, unwrapTensor(e, a[0], "the tensor").device().str()); }
inline napi_value numel(Environment* e, napi_value* a) { return fromInteger(e, unwrapTensor(e, a[0], "the tensor").numel()); }
inline napi_value version(Environment* e, napi_value* a) {
  const at::Tensor& tensor = unwrapTensor(e, a[0], "the tensor");
  return fromInteger(e, tensor.is_inference() ? 0 : static_cast<int64_t>(tensor._version()));
}
inline napi_value storageOffset(Environment* e, napi_value* a) { return fromInteger(e, unwrapTensor(e, a[0], "the tensor").storage_offset()); }

inline napi_value layout(Environment* e, napi_value* a) {
  std::ostringstream text;
  text << unwrapTensor(e, a[0], "the tensor").layout();
  std::string name = text.str();
  for (char& c : name) c = static_cast<char>(tolower(c));
  return fromText(e, name);
}

inline napi_value flags(Environment* e, napi_value* a) {
  const at::Tensor& t = unwrapTensor(e, a[0], "the tensor");
  const bool strided = t.layout() == at::kStrided;
  const bool bits[] = {t.requires_grad(), t.is_leaf(), strided && t.is_contiguous(), strided && t.dim() == 4 && t.is_contiguous(at::MemoryFormat::ChannelsLast),
                       false, !strided, t.is_view(), t.is_inference(), t.is_leaf() && t.grad().defined(), t.is_conj(), t.is_neg()};
  int64_t set = 0;
  for (size_t i = 0; i < sizeof bits; i++)
    if (bits[i]) set |= int64_t(1) << i;
  if (t.device().is_cpu() && (at::hasCUDA() || at::hasMPS()) && t.is_pinned()) set |= 16;
  return fromInteger(e, set);
}

inline napi_value storage(Environment* e, napi_value* a) {
  const at::Tensor& tensor = unwrapTensor(e, a[0], "the tensor");
  if (!tensor.has_storage()) throw ArgumentError("a tensor of this layout has no single storage");
  napi_value result, id;
  check(napi_create_object(e->env, &result), "make an object");
  check(napi_create_bigint_uint64(e->env, reinterpret_cast<uintptr_t>(tensor.storage().unsafeGetStorageImpl()), &id), "make a bigint");
  check(napi_set_named_property(e->env, result, "id", id), "fill an object");
  check(napi_set_named_property(e->env, result, "bytes", fromInteger(e, static_cast<int64_t>(tensor.storage().nbytes()))), "fill an object");
  return result;
}

inline napi_value item(Environment* e, napi_value* a) {
  at::Scalar scalar = unwrapTensor(e, a[0], "the tensor").item();
  if (scalar.isBoolean()) return fromBool(e, scalar.toBool());
  if (scalar.isComplex()) return fromComplex(e, scalar.toComplexDouble().real(), scalar.toComplexDouble().imag());
  if (scalar.isFloatingPoint()) return fromDouble(e, scalar.toDouble());
  return fromInteger(e, scalar.toLong());
}

// Plain bytes need no conjugation, negation or quantiser to be understood.
inline at::Tensor plain(const at::Tensor& tensor) {
  if (tensor.layout() != at::kStrided) throw ArgumentError("only a dense tensor has plain bytes; call toDense() first");
  at::NoGradGuard noGrad;
  at::Tensor result = tensor.detach();
  if (tensor.is_conj()) result = result.resolve_conj();
  if (tensor.is_neg()) result = result.resolve_neg();
  return result;
}

inline napi_value read(Environment* e, napi_value* a) {
  at::Tensor tensor = plain(unwrapTensor(e, a[0], "the tensor")).cpu().contiguous();
  const size_t bytes = static_cast<size_t>(tensor.numel()) * tensor.element_size();
  void* data = nullptr;
  napi_value result;
  check(napi_create_arraybuffer(e->env, bytes, &data, &result), "make an ArrayBuffer");
  if (bytes) memcpy(data, tensor.data_ptr(), bytes);
  return result;
}

inline napi_value map(Environment* e, napi_value* a) {
  const at::Tensor& given = unwrapTensor(e, a[0], "the tensor");
  if (!given.device().is_cpu() || given.layout() != at::kStrided || !given.is_contiguous() || given.is_conj() || given.is_neg())
    throw ArgumentError("only a dense, contiguous tensor on the CPU can be mapped without a copy");
  const size_t bytes = static_cast<size_t>(given.numel()) * given.element_size();
  if (bytes == 0) return read(e, a);
  auto* keep = new at::Tensor(given);
  napi_value result;
  napi_status status = napi_create_external_arraybuffer(e->env, keep->data_ptr(), bytes, [](napi_env, void*, void* hint) { delete static_cast<at::Tensor*>(hint); }, keep, &result);
  if (status == napi_ok) return result;
  delete keep;  // Electron forbids external buffers: the caller gets a clear refusal, not a silent copy
  throw std::runtime_error("this JavaScript runtime does not allow memory to be shared; use a copy instead");
}

inline napi_value fromBytes(Environment* e, napi_value* a) {
  napi_typedarray_type type;
  size_t length = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer;
  if (napi_get_typedarray_info(e->env, a[0], &type, &length, &data, &buffer, &offset) != napi_ok || type != napi_uint8_array)
    throw ArgumentError("bytes must be a Uint8Array, got " + describe(e->env, a[0]));
  const int64_t begin = integer(e, a[1], "byteOffset");
  std::vector<int64_t> sizes;
  ArgumentPlan argument;
  argument.name = "shape";
  eachElement(e, a[2], argument, "an array of integers", [&](napi_value x) { sizes.push_back(toInteger(e, x, argument)); });
  const int64_t code = integer(e, a[3], "dtype");
  const bool share = flag(e, a[4], "share");
  if (code < 0 || code >= static_cast<int64_t>(at::ScalarType::NumOptions)) throw ArgumentError("unknown dtype code " + std::to_string(code));
  const auto scalarType = static_cast<at::ScalarType>(code);
  if (scalarType == at::ScalarType::Undefined || c10::isQIntType(scalarType)) throw ArgumentError("this dtype has no plain bytes");
  const int64_t itemSize = static_cast<int64_t>(c10::elementSize(scalarType));
  __int128 elements = 1;
  for (int64_t size : sizes) {
    if (size < 0) throw ArgumentError("shape must not have negative sizes");
    elements *= size;
    if (elements > (int64_t(1) << 50)) throw ArgumentError("the shape holds too many elements");
  }
  const int64_t bytes = static_cast<int64_t>(elements) * itemSize;
  if (begin < 0 || begin > static_cast<int64_t>(length) || bytes > static_cast<int64_t>(length) - begin)
    throw ArgumentError("the shape needs " + std::to_string(bytes) + " bytes from offset " + std::to_string(begin) + ", but there are " + std::to_string(length));
  auto* start = static_cast<char*>(data) + begin;
  auto options = at::TensorOptions().dtype(scalarType);
  if (!share || bytes == 0) {
    at::Tensor result = at::empty(sizes, options);
    if (bytes) memcpy(result.data_ptr(), start, static_cast<size_t>(bytes));
    return wrapTensor(e, result);
  }
  if (reinterpret_cast<uintptr_t>(start) % static_cast<uintptr_t>(itemSize)) throw ArgumentError("shared memory must be aligned to " + std::to_string(itemSize) + " bytes");
  auto keep = std::make_shared<ScriptReference>(e, a[0]);
  at::Tensor result = at::from_blob(start, sizes, [keep](void*) mutable { keep.reset(); }, options);
  return wrapTensor(e, result);
}

// ---- between worker threads ----

struct TicketTable {
  std::mutex mutex;
  int64_t next = 1;
  std::unordered_map<int64_t, at::Tensor> tensors;
};
inline TicketTable& tickets() {
  static auto* table = new TicketTable;  // never destroyed: threads may still hold tickets while the process exits
  return *table;
}

inline napi_value exportHandle(Environment* e, napi_value* a) {
  const at::Tensor& tensor = unwrapTensor(e, a[0], "the tensor");
  if (tensor.grad_fn()) throw ArgumentError("a tensor with a gradient history belongs to its thread; detach() it first");
  auto& table = tickets();
  std::lock_guard<std::mutex> lock(table.mutex);
  table.tensors.emplace(table.next, tensor);
  return fromInteger(e, table.next++);
}

inline napi_value importHandle(Environment* e, napi_value* a) {
  const int64_t ticket = integer(e, a[0], "ticket");
  auto& table = tickets();
  at::Tensor tensor;
  {
    std::lock_guard<std::mutex> lock(table.mutex);
    auto found = table.tensors.find(ticket);
    if (found == table.tensors.end()) throw ArgumentError("ticket " + std::to_string(ticket) + " is unknown or was used already");
    tensor = std::move(found->second);
    table.tensors.erase(found);
  }
  return wrapTensor(e, std::move(tensor));
}

}  // namespace entry
}  // namespace praxis
