// Tensors and their bytes, in and out.
#pragma once
#include <sstream>
#include <unordered_set>

#include "autograd.h"

namespace praxis {

inline napi_value fromSizes(Environment* e, at::IntArrayRef list) { return fromItems(e, list, [e](int64_t x) { return fromInteger(e, x); }); }

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

// [sequence, bytes, handle] of the tensors made since a mark, youngest first.
inline napi_value liveTensors(In in) {
  std::vector<TensorBox*> boxes;
  const int64_t mark = in.integer(0, "mark");
  for (TensorBox* box = in.e->first; box && box->sequence > mark; box = box->next) boxes.push_back(box);
  return fromItems(in.e, boxes, [&](TensorBox* box) { return fromSizes(in.e, {box->sequence, box->bytes, box->handle}); });
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

// Identity and size of the memory behind a tensor; an address fits a double.
inline napi_value storage(In in) {
  const at::Tensor& tensor = in.tensor(0);
  if (!tensor.has_storage()) throw ArgumentError("a tensor of this layout has no single storage");
  return fromSizes(in.e, {static_cast<int64_t>(reinterpret_cast<uintptr_t>(tensor.storage().unsafeGetStorageImpl())), static_cast<int64_t>(tensor.storage().nbytes())});
}

struct Bytes { char* data; size_t size; };
inline Bytes bytesOf(In in, int i) {
  napi_typedarray_type type;
  size_t length = 0, offset;
  void* data = nullptr;
  napi_value buffer;
  if (napi_get_typedarray_info(in.e->env, in.values[i], &type, &length, &data, &buffer, &offset) != napi_ok || type != napi_uint8_array) throw ArgumentError("expected a Uint8Array, got " + describe(in.e->env, in.values[i]));
  return {static_cast<char*>(data), length};
}

// The bytes of a tensor whose elements lie in memory in order.
inline Bytes elementsOf(const at::Tensor& t) {
  if (!t.device().is_cpu() || t.layout() != at::kStrided || !t.is_contiguous() || t.is_conj() || t.is_neg() || t._is_zerotensor()) throw ArgumentError("only a dense, contiguous tensor on the CPU has its elements in order (a gradient of zeros may have no memory: clone() it)");
  const size_t size = static_cast<size_t>(t.numel()) * t.element_size();
  return {size ? static_cast<char*>(t.data_ptr()) : nullptr, size};
}

inline napi_value read(In in) {
  const Bytes from = elementsOf(in.tensor(0)), to = bytesOf(in, 1);
  if (from.size != to.size) throw ArgumentError("the tensor has " + std::to_string(from.size) + " bytes, the memory for them " + std::to_string(to.size));
  if (from.size) memcpy(to.data, from.data, from.size);
  return nullptr;
}

inline napi_value map(In in) {
  const Bytes bytes = elementsOf(in.tensor(0));
  if (!bytes.size) return make([&](napi_value* r) { return napi_create_arraybuffer(in.e->env, 0, nullptr, r); });
  auto* keep = new at::Tensor(in.tensor(0));
  napi_value result;
  if (napi_create_external_arraybuffer(in.e->env, bytes.data, bytes.size, [](napi_env, void*, void* hint) { delete static_cast<at::Tensor*>(hint); }, keep, &result) == napi_ok) return result;
  delete keep;  // Electron forbids external buffers: a clear refusal, not a silent copy
  throw std::runtime_error("this JavaScript runtime does not allow memory to be shared; use a copy instead");
}

// Disposes the tensors made since a mark, but for those to keep.
inline napi_value scopeClose(In in) {
  const int64_t mark = in.integer(0, "mark");
  std::unordered_set<TensorBox*> keep;
  eachElement(in.e, in.values[1], In::named("keep"), "an array", [&](napi_value x) { keep.insert(In{in.e, &x}.box(0)); });
  for (TensorBox *box = in.e->first, *next; box && box->sequence > mark; box = next) {
    next = box->next;
    if (!keep.count(box)) box->adopted ? dropTensor(box) : freeBox(box);
  }
  return nullptr;
}

// A one-dimensional uint8 tensor over a Uint8Array's memory, or of a copy.
inline napi_value fromBytes(In in) {
  const Bytes bytes = bytesOf(in, 0);
  const int64_t size = static_cast<int64_t>(bytes.size);
  if (in.flag(1, "share") && size) {
    auto keep = std::make_shared<ScriptReference>(in.e, in.values[0]);
    return wrapTensor(in.e, at::from_blob(bytes.data, {size}, [keep](void*) mutable { keep.reset(); }, at::kByte));
  }
  at::Tensor result = at::empty({size}, at::kByte);
  if (size) memcpy(result.data_ptr(), bytes.data, bytes.size);
  return wrapTensor(in.e, result);
}

// Tensors on their way from one thread to another. Never destroyed: threads may hold tickets while the process exits.
inline std::mutex& ticketMutex = *new std::mutex;
inline auto& tickets = *new std::unordered_map<int64_t, at::Tensor>;

inline napi_value exportHandle(In in) {
  static int64_t last = 0;
  if (in.tensor(0).grad_fn()) throw ArgumentError("a tensor with a gradient history belongs to its thread; detach() it first");
  std::lock_guard<std::mutex> lock(ticketMutex);
  tickets.emplace(++last, in.tensor(0));
  return fromInteger(in.e, last);
}

inline napi_value importHandle(In in) {
  std::unique_lock<std::mutex> lock(ticketMutex);
  auto found = tickets.find(in.integer(0, "ticket"));
  if (found == tickets.end()) throw ArgumentError("the ticket is unknown or was used already");
  at::Tensor tensor = std::move(found->second);
  tickets.erase(found);
  lock.unlock();
  return wrapTensor(in.e, std::move(tensor));
}

}  // namespace praxis
