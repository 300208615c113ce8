/*
 * A PJRT plugin that has no device: for tests of what becomes of a plugin's errors, and of what its process is told.
 * Its environment says what it does: FAKE_VERSION, "major.minor" of its API; FAKE_CODE, the absl::StatusCode, and
 * FAKE_MESSAGE, the text of the error that PJRT_Client_Create returns. "%s" in it becomes CUDA_VISIBLE_DEVICES.
 * Offsets are those of pjrt_api.ts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value ? value : otherwise;
}

static char text[1024];

static void *error_destroy(char *args) { return args ? 0 : 0; }

static void *error_message(char *args) {
  *(const char **)(args + 24) = text;
  *(uint64_t *)(args + 32) = strlen(text);
  return 0;
}

static void *error_code(char *args) {
  *(int32_t *)(args + 24) = atoi(setting("FAKE_CODE", "13"));
  return 0;
}

static void *plugin_initialize(char *args) { return args ? 0 : 0; }

static void *client_create(char *args) {
  (void)args;
  const char *message = setting("FAKE_MESSAGE", "no device");
  const char *card = strstr(message, "%s");
  if (card) {
    snprintf(text, sizeof text, "%.*s%s%s", (int)(card - message), message,
             setting("CUDA_VISIBLE_DEVICES", "unset"), card + 2);
  } else {
    snprintf(text, sizeof text, "%s", message);
  }
  return text; /* any address that is not null is an error here */
}

const void *GetPjrtApi(void) {
  static uint64_t table[140];
  int major = 0, minor = 100;
  sscanf(setting("FAKE_VERSION", "0.100"), "%d.%d", &major, &minor);
  table[0] = sizeof table;
  ((int32_t *)table)[8] = major;
  ((int32_t *)table)[9] = minor;
  table[40 / 8] = (uint64_t)error_destroy;
  table[48 / 8] = (uint64_t)error_message;
  table[56 / 8] = (uint64_t)error_code;
  table[64 / 8] = (uint64_t)plugin_initialize;
  table[120 / 8] = (uint64_t)client_create;
  return table;
}
