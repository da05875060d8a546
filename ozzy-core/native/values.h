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

#endif
