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

/* A number: whole where it has neither point nor exponent, else real. */
typedef struct {
    int is_real;
    int64_t whole;
    double real;
} Number;

/* Read a number of few digits, exactly; 0 for any other. It has to be spelt soundly: a sign or none, digits, a point and digits or none, an
   exponent or none. */
int read_number(const byte *at, const byte *end, Number *number);

/* The same as an object; NULL without an exception for any other. */
PyObject *number_of(const byte *at, const byte *end);

#endif
