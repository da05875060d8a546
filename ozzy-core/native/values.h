/* Values of Python that are made of spans, whatever the format. */

#ifndef OZZY_VALUES_H
#define OZZY_VALUES_H

#include "native.h"

#define KNOWN_TEXTS 512
#define KNOWN_SIZE 40

/* Texts that repeat are made once. */
typedef struct {
    const byte *at;
    Py_ssize_t size;
    PyObject *text;
} Known;

/* A text in UTF-8. `known` has KNOWN_TEXTS places, of zeroes at first. */
PyObject *text_of(const byte *at, Py_ssize_t size, Known *known);
void known_free(Known *known);

/* Whether a cell is one of the texts that mean null, a tuple of bytes. */
static inline int
is_null(const byte *at, const byte *end, PyObject *nulls)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(nulls); i++) {
        PyObject *one = PyTuple_GetItem(nulls, i);
        if (PyBytes_Size(one) == end - at && !memcmp(PyBytes_AsString(one), at, (size_t)(end - at)))
            return 1;
    }
    return 0;
}

#endif
