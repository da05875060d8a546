/* What the files of the extension `ozzy.data._native` share.

   It reads lines of JSON and rows of CSV that are plainly good, many in one call. Where anything is out of the ordinary it says so and
   leaves the whole to the Python code beside it, which is what decides: nothing is accepted here that is refused there.

   A span is a place in a text: a pair of uint32, start and end. A column is the spans of one field, a row each, in a bytes object. The
   end's highest bit (`ODD`) marks a value that needs a closer look; a span of zeroes is a field that a row does not have. */

#ifndef OZZY_NATIVE_H
#define OZZY_NATIVE_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define ODD 0x80000000u
#define LONGEST_TEXT 0x7fffffff

typedef uint8_t byte;

typedef struct {
    uint32_t start;
    uint32_t end;
} Span;

/* Columns of spans that grow row by row. */
typedef struct {
    Span **columns;
    Py_ssize_t count;
    Py_ssize_t rows;
    Py_ssize_t room;
} Columns;

int columns_begin(Columns *columns, Py_ssize_t count, Py_ssize_t room);
int columns_grow(Columns *columns);
void columns_free(Columns *columns);
PyObject *columns_taken(Columns *columns);

/* The spans in an argument, and how many; NULL with an exception where it is none, or one of them lies outside of the text. */
const Span *spans_of(PyObject *argument, Py_ssize_t text_size, Py_ssize_t *count);

/* The length of the UTF-8 character at a byte of 0x80 or more; 0 where it is none. */
int character_size(const byte *at, const byte *end);

/* Put a sound text into `to` without its escapes; returns its length, or -1 where there is no room for it. */
Py_ssize_t unescaped(const byte *at, const byte *end, byte *to, Py_ssize_t room);

PyObject *scan_json(PyObject *module, PyObject *arguments);
PyObject *values(PyObject *module, PyObject *arguments);
PyObject *size(PyObject *module, PyObject *column);
PyObject *cut(PyObject *module, PyObject *arguments);
PyObject *chosen(PyObject *module, PyObject *arguments);
PyObject *taken(PyObject *module, PyObject *arguments);
PyObject *joined(PyObject *module, PyObject *arguments);
PyObject *gathered(PyObject *module, PyObject *arguments);
PyObject *equal_texts(PyObject *module, PyObject *arguments);
PyObject *compared_numbers(PyObject *module, PyObject *arguments);
PyObject *csv_rows(PyObject *module, PyObject *arguments);
PyObject *csv_rows_of_cells(PyObject *module, PyObject *arguments);
PyObject *scan_csv(PyObject *module, PyObject *arguments);
PyObject *csv_cells(PyObject *module, PyObject *arguments);
PyObject *csv_values(PyObject *module, PyObject *arguments);
PyObject *csv_check(PyObject *module, PyObject *arguments);
PyObject *csv_mask(PyObject *module, PyObject *arguments);

#endif
