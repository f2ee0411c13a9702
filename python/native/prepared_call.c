/*===- prepared_call.c - a run with all its arguments known
 * ------------------===*
 *
 * ctypes converts every argument at every call and looks at the result, which
 * costs a microsecond: a third of what queueing a captured program takes. Here
 * the addresses are read once. A call holds no lock of Python's, and raises
 * with the runtime's message.
 *
 * Python's stable interface of 3.11: one file serves every later version.
 *
 *===-----------------------------------------------------------------------===*/

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "dtensor-rt/dtensor_rt.h"

#include <stdint.h>
#include <stdlib.h>

static const char kName[] = "dtensor_mlir.prepared_call";

typedef dtensor_rt_status (*RunFunction)(dtensor_rt_launch *,
                                         const dtensor_rt_array *, size_t,
                                         const dtensor_rt_array *, size_t,
                                         const dtensor_rt_run_options *);
typedef const char *(*MessageFunction)(void);

typedef struct {
  RunFunction run;
  MessageFunction message;
  dtensor_rt_launch *launch;
  const dtensor_rt_array *args, *results;
  size_t num_args, num_results;
  const dtensor_rt_run_options *options;
  PyObject *error; /* the class to raise */
  PyObject *kept;  /* owns the memory behind the addresses */
} Call;

static PyObject *run(PyObject *capsule, PyObject *unused) {
  (void)unused;
  Call *call = PyCapsule_GetPointer(capsule, kName);
  dtensor_rt_status status;
  if (!call)
    return NULL;
  Py_BEGIN_ALLOW_THREADS;
  status = call->run(call->launch, call->args, call->num_args, call->results,
                     call->num_results, call->options);
  Py_END_ALLOW_THREADS;
  if (status != DTENSOR_RT_OK) {
    PyErr_SetString(call->error, call->message());
    return NULL;
  }
  Py_RETURN_NONE;
}

static void destroy(PyObject *capsule) {
  Call *call = PyCapsule_GetPointer(capsule, kName);
  Py_DECREF(call->error);
  Py_DECREF(call->kept);
  free(call);
}

static PyMethodDef kRun = {"run", run, METH_NOARGS,
                           "Runs; raises what the runtime says."};

static void *pointer(unsigned long long address) {
  return (void *)(uintptr_t)address;
}

static PyObject *prepare(PyObject *self, PyObject *arguments) {
  unsigned long long run_at, message_at, launch, args, results, options;
  unsigned long long num_args, num_results;
  PyObject *error, *kept, *capsule, *function;
  Call *call;
  (void)self;
  if (!PyArg_ParseTuple(arguments, "KKKKKKKKOO", &run_at, &message_at, &launch,
                        &args, &num_args, &results, &num_results, &options,
                        &error, &kept))
    return NULL;
  call = malloc(sizeof(*call));
  if (!call)
    return PyErr_NoMemory();
  call->run = (RunFunction)(uintptr_t)run_at;
  call->message = (MessageFunction)(uintptr_t)message_at;
  call->launch = pointer(launch);
  call->args = pointer(args);
  call->num_args = (size_t)num_args;
  call->results = pointer(results);
  call->num_results = (size_t)num_results;
  call->options = pointer(options);
  call->error = Py_NewRef(error);
  call->kept = Py_NewRef(kept);
  capsule = PyCapsule_New(call, kName, destroy);
  if (!capsule) {
    Py_DECREF(error);
    Py_DECREF(kept);
    free(call);
    return NULL;
  }
  function = PyCFunction_NewEx(&kRun, capsule, NULL);
  Py_DECREF(capsule);
  return function;
}

static PyMethodDef kMethods[] = {
    {"prepare", prepare, METH_VARARGS,
     "prepare(run, message, launch, args, num_args, results, num_results, "
     "options, error, kept): dtensor_rt_run_local_with on these addresses as a "
     "function without arguments."},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef kModule = {PyModuleDef_HEAD_INIT,
                                     "dtensor_prepared_call",
                                     NULL,
                                     0,
                                     kMethods,
                                     NULL,
                                     NULL,
                                     NULL,
                                     NULL};

PyMODINIT_FUNC PyInit_dtensor_prepared_call(void) {
  return PyModule_Create(&kModule);
}
