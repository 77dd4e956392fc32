// JPEG through the system's libjpeg(-turbo), reduced while it is decoded. An addon of its own: it knows nothing of libtorch, and where the
// library's header is missing it is not built and libvips decodes instead. Anything unusual is refused, never repaired: the caller then asks
// libvips, whose words name what is wrong with the file.
#include <node_api.h>

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

namespace {

// A progressive file of few bytes can hold thousands of scans, each as slow as a whole picture.
constexpr int maxScans = 64;

struct Errors {
  jpeg_error_mgr manager;
  std::jmp_buf leave;
};

[[noreturn]] void fail(j_common_ptr info) { std::longjmp(reinterpret_cast<Errors*>(info->err)->leave, 1); }

// Warnings (level -1) are counted by the library's own rule; traces say nothing about the pixels.
void hear(j_common_ptr info, int level) {
  if (level < 0) fail(info);
}

void watch(j_common_ptr info) {
  if (info->is_decompressor && reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > maxScans) fail(info);
}

// `rows` is height / by × width / by × channels bytes, both rounded down; the library gives the fractions of a pixel too, as libvips does not.
bool decode(const uint8_t* bytes, size_t length, uint32_t by, uint32_t channels, uint8_t* rows, size_t room) {
  jpeg_decompress_struct info;
  Errors errors;
  jpeg_progress_mgr progress = {};
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = fail;
  errors.manager.emit_message = hear;
  progress.progress_monitor = watch;
  if (setjmp(errors.leave) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  info.progress = &progress;
  jpeg_mem_src(&info, const_cast<uint8_t*>(bytes), static_cast<unsigned long>(length));
  jpeg_read_header(&info, TRUE);
  const uint32_t width = info.image_width / by;
  const uint32_t height = info.image_height / by;
  const size_t row = static_cast<size_t>(width) * channels;
  if (width == 0 || height == 0 || row * height != room || info.num_components != static_cast<int>(channels))
    fail(reinterpret_cast<j_common_ptr>(&info));
  info.out_color_space = channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  info.scale_num = 1;
  info.scale_denom = by;
  jpeg_start_decompress(&info);
  JSAMPARRAY line = (*info.mem->alloc_sarray)(reinterpret_cast<j_common_ptr>(&info), JPOOL_IMAGE, info.output_width * channels, 1);
  for (uint32_t y = 0; y < info.output_height; y++) {
    const bool whole = info.output_width == width && y < height;
    JSAMPROW direct = rows + row * y;
    jpeg_read_scanlines(&info, whole ? &direct : line, 1);
    if (!whole && y < height) std::memcpy(direct, line[0], row);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

bool view(napi_env env, napi_value value, uint8_t** data, size_t* length) {
  napi_typedarray_type type;
  void* start = nullptr;
  bool typed = false;
  if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed) return false;
  if (napi_get_typedarray_info(env, value, &type, length, &start, nullptr, nullptr) != napi_ok) return false;
  *data = static_cast<uint8_t*>(start);
  return type == napi_uint8_array;
}

// decode(bytes, by, channels, rows): whether the picture is sound and its pixels lie in `rows`.
napi_value Decode(napi_env env, napi_callback_info call) {
  napi_value arguments[4];
  size_t count = 4;
  uint8_t *bytes = nullptr, *rows = nullptr;
  size_t length = 0, room = 0;
  uint32_t by = 0, channels = 0;
  if (napi_get_cb_info(env, call, &count, arguments, nullptr, nullptr) != napi_ok || count != 4 ||
      !view(env, arguments[0], &bytes, &length) || napi_get_value_uint32(env, arguments[1], &by) != napi_ok ||
      napi_get_value_uint32(env, arguments[2], &channels) != napi_ok || !view(env, arguments[3], &rows, &room) ||
      (by != 1 && by != 2 && by != 4 && by != 8) || (channels != 1 && channels != 3)) {
    napi_throw_type_error(env, nullptr, "decode(bytes, by, channels, rows): Uint8Array, 1, 2, 4 or 8, 1 or 3, Uint8Array");
    return nullptr;
  }
  napi_value result;
  napi_get_boolean(env, decode(bytes, length, by, channels, rows, room), &result);
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "decode", NAPI_AUTO_LENGTH, Decode, nullptr, &function);
  napi_set_named_property(env, exports, "decode", function);
#ifdef LIBJPEG_TURBO_VERSION
#define PRAXIS_TEXT_OF(x) #x
#define PRAXIS_TEXT(x) PRAXIS_TEXT_OF(x)
  const char* name = "libjpeg-turbo " PRAXIS_TEXT(LIBJPEG_TURBO_VERSION);
#else
  const char* name = "libjpeg";
#endif
  napi_value library;
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &library);
  napi_set_named_property(env, exports, "library", library);
  return exports;
}
