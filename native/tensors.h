// Tensors and their bytes, in and out.
#pragma once
#include <c10/core/ScalarType.h>

#include <sstream>

#include "autograd.h"

namespace praxis {

inline napi_value dispose(In in) {
  TensorBox* box = in.box(0);
  if (box) box->adopted ? dropTensor(box) : freeBox(box);
  return nullptr;
}

// Makes a JavaScript object the owner of a handle: when the collector takes the object, the tensor goes too.
inline napi_value adopt(In in) {
  TensorBox* box = in.box(1);
  if (!box || box->adopted) throw ArgumentError("the handle has an owner already, or is gone");
  check(napi_add_finalizer(in.e->env, in.values[0], box, finalizeTensor, nullptr, nullptr), "own a handle");
  box->adopted = true;
  return nullptr;
}

inline napi_value setScratch(In in) {
  napi_typedarray_type type;
  size_t length, offset;
  void* data;
  napi_value buffer;
  napi_ref keep;
  if (napi_get_typedarray_info(in.e->env, in.values[0], &type, &length, &data, &buffer, &offset) != napi_ok || type != napi_float64_array) throw ArgumentError("expected a Float64Array");
  check(napi_create_reference(in.e->env, in.values[0], 1, &keep), "keep the scratch memory");  // as long as the thread
  in.e->scratch = static_cast<double*>(data);
  in.e->scratchSize = length;
  return nullptr;
}

// Disposes the tensors made since a mark, but for those to keep.
inline napi_value scopeClose(In in) {
  const int64_t mark = in.integer(0, "mark");
  std::unordered_set<TensorBox*> keep;
  in.each(1, "keep", [&](napi_value x) { keep.insert(In{in.e, &x}.box(0)); });
  for (TensorBox *box = in.e->first, *next; box && box->sequence > mark; box = next) {
    next = box->next;
    if (!keep.count(box)) box->adopted ? dropTensor(box) : freeBox(box);
  }
  return nullptr;
}

inline napi_value liveTensors(In in) {
  std::vector<TensorBox*> boxes;
  for (TensorBox* box = in.e->first; box; box = box->next) boxes.push_back(box);
  return fromItems(in.e, boxes, [&](TensorBox* box) {
    return fromItems(in.e, std::vector<int64_t>{box->sequence, box->bytes, box->handle}, [&](int64_t x) { return fromInteger(in.e, x); });
  });
}

inline napi_value memory(In in) {
  std::unordered_set<const void*> seen;
  std::unordered_map<std::string, int64_t> bytes;
  for (TensorBox* box = in.e->first; box; box = box->next)
    if (box->tensor.has_storage() && seen.insert(box->tensor.storage().unsafeGetStorageImpl()).second)
      bytes[box->tensor.device().str()] += static_cast<int64_t>(box->tensor.storage().nbytes());
  napi_value perDevice = fromFields(in.e, {});
  for (const auto& entry : bytes) check(napi_set_named_property(in.e->env, perDevice, entry.first.c_str(), fromInteger(in.e, entry.second)), "fill an object");
  return fromFields(in.e, {{"handles", fromInteger(in.e, in.e->handles)}, {"bytes", perDevice}});
}

inline napi_value fromSizes(Environment* e, at::IntArrayRef list) {
  return fromItems(e, list, [e](int64_t x) { return fromInteger(e, x); });
}

inline napi_value flags(In in) {
  const at::Tensor& t = in.tensor(0);
  const bool strided = t.layout() == at::kStrided, pinnable = t.device().is_cpu() && (at::hasCUDA() || at::hasMPS());
  const bool bits[] = {t.requires_grad(), t.is_leaf(), strided && t.is_contiguous(), strided && t.dim() == 4 && t.is_contiguous(at::MemoryFormat::ChannelsLast),
                       pinnable && t.is_pinned(), !strided, t.is_view(), t.is_inference(), t.is_leaf() && t.grad().defined(), t.is_conj(), t.is_neg()};
  int64_t set = 0;
  for (size_t i = 0; i < sizeof bits; i++) set |= int64_t(bits[i]) << i;
  return fromInteger(in.e, set);
}

inline napi_value storage(In in) {
  const at::Tensor& tensor = in.tensor(0);
  if (!tensor.has_storage()) throw ArgumentError("a tensor of this layout has no single storage");
  napi_value id;
  check(napi_create_bigint_uint64(in.e->env, reinterpret_cast<uintptr_t>(tensor.storage().unsafeGetStorageImpl()), &id), "make a bigint");
  return fromFields(in.e, {{"id", id}, {"bytes", fromInteger(in.e, static_cast<int64_t>(tensor.storage().nbytes()))}});
}

// A copy of the elements, or with `share` the memory itself. Plain bytes need no conjugation, negation or quantiser to be understood.
inline napi_value elements(In in, bool share) {
  const at::Tensor& given = in.tensor(0);
  if (given.layout() != at::kStrided) throw ArgumentError("only a dense tensor has plain bytes; call toDense() first");
  if (share && (!given.device().is_cpu() || !given.is_contiguous() || given.is_conj() || given.is_neg())) throw ArgumentError("only a contiguous tensor on the CPU can be mapped without a copy");
  at::NoGradGuard noGrad;
  at::Tensor tensor = share ? given : given.detach().resolve_conj().resolve_neg().cpu().contiguous();
  const size_t bytes = static_cast<size_t>(tensor.numel()) * tensor.element_size();
  napi_value result;
  if (share && bytes) {
    auto* keep = new at::Tensor(given);
    auto release = [](napi_env, void*, void* hint) { delete static_cast<at::Tensor*>(hint); };
    if (napi_create_external_arraybuffer(in.e->env, keep->data_ptr(), bytes, release, keep, &result) == napi_ok) return result;
    delete keep;  // Electron forbids external buffers: a clear refusal, not a silent copy
    throw std::runtime_error("this JavaScript runtime does not allow memory to be shared; use a copy instead");
  }
  void* data = nullptr;
  check(napi_create_arraybuffer(in.e->env, bytes, &data, &result), "make an ArrayBuffer");
  if (bytes) memcpy(data, tensor.data_ptr(), bytes);
  return result;
}

inline napi_value fromBytes(In in) {
  napi_typedarray_type type;
  size_t length = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer;
  if (napi_get_typedarray_info(in.e->env, in.values[0], &type, &length, &data, &buffer, &offset) != napi_ok || type != napi_uint8_array)
    throw ArgumentError("bytes must be a Uint8Array, got " + describe(in.e->env, in.values[0]));
  const int64_t begin = in.integer(1, "byteOffset"), code = in.integer(3, "dtype"), available = static_cast<int64_t>(length);
  std::vector<int64_t> sizes;
  in.each(2, "shape", [&](napi_value x) { sizes.push_back(In{in.e, &x}.integer(0, "shape")); });
  const auto scalarType = static_cast<at::ScalarType>(code);
  if (code < 0 || code >= static_cast<int64_t>(at::ScalarType::NumOptions) || scalarType == at::ScalarType::Undefined || c10::isQIntType(scalarType))
    throw ArgumentError("elements of dtype code " + std::to_string(code) + " cannot be made from bytes");
  const int64_t itemSize = static_cast<int64_t>(c10::elementSize(scalarType));
  __int128 elements = 1;
  for (int64_t size : sizes)
    if (size < 0 || (elements *= size) > (int64_t(1) << 50)) throw ArgumentError("shape must hold sizes of at least 0, and not too many elements");
  const int64_t bytes = static_cast<int64_t>(elements) * itemSize;
  if (begin < 0 || begin > available || bytes > available - begin)
    throw ArgumentError("the shape needs " + std::to_string(bytes) + " bytes from offset " + std::to_string(begin) + ", but there are " + std::to_string(available));
  auto* start = static_cast<char*>(data) + begin;
  auto options = at::TensorOptions().dtype(scalarType);
  if (in.flag(4, "share") && bytes) {
    if (reinterpret_cast<uintptr_t>(start) % static_cast<uintptr_t>(itemSize)) throw ArgumentError("shared memory must be aligned to " + std::to_string(itemSize) + " bytes");
    auto keep = std::make_shared<ScriptReference>(in.e, in.values[0]);
    return wrapTensor(in.e, at::from_blob(start, sizes, [keep](void*) mutable { keep.reset(); }, options));
  }
  at::Tensor result = at::empty(sizes, options);
  if (bytes) memcpy(result.data_ptr(), start, static_cast<size_t>(bytes));
  return wrapTensor(in.e, result);
}

// Tensors on their way from one thread to another. Never destroyed: threads may hold tickets while the process exits.
struct Tickets {
  std::mutex mutex;
  int64_t next = 1;
  std::unordered_map<int64_t, at::Tensor> tensors;
};
inline Tickets& tickets = *new Tickets;

inline napi_value exportHandle(In in) {
  const at::Tensor& tensor = in.tensor(0);
  if (tensor.grad_fn()) throw ArgumentError("a tensor with a gradient history belongs to its thread; detach() it first");
  std::lock_guard<std::mutex> lock(tickets.mutex);
  tickets.tensors.emplace(tickets.next, tensor);
  return fromInteger(in.e, tickets.next++);
}

inline napi_value importHandle(In in) {
  const int64_t ticket = in.integer(0, "ticket");
  std::unique_lock<std::mutex> lock(tickets.mutex);
  auto found = tickets.tensors.find(ticket);
  if (found == tickets.tensors.end()) throw ArgumentError("ticket " + std::to_string(ticket) + " is unknown or was used already");
  at::Tensor tensor = std::move(found->second);
  tickets.tensors.erase(found);
  lock.unlock();
  return wrapTensor(in.e, std::move(tensor));
}

}  // namespace praxis
