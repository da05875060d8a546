/* Rows made of spans: put one after the other, or into cells of CSV. */

#include "values.h"

/* Bytes that grow. */
typedef struct {
    byte *content;
    Py_ssize_t size;
    Py_ssize_t room;
} Growing;

static int
make_room(Growing *text, Py_ssize_t more)
{
    if (text->room - text->size >= more)
        return 0;
    Py_ssize_t room = (text->size + more) * 2;
    byte *content = PyMem_Realloc(text->content, (size_t)room);
    if (content == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    text->content = content;
    text->room = room;
    return 0;
}

static inline int
put(Growing *text, const byte *part, Py_ssize_t size)
{
    if (size == 0)
        return 0;
    if (make_room(text, size) < 0)
        return -1;
    memcpy(text->content + text->size, part, (size_t)size);
    text->size += size;
    return 0;
}

static PyObject *
text_and_lengths(PyObject *text, PyObject *lengths)
{
    PyObject *pair = text && lengths ? PyTuple_Pack(2, text, lengths) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(lengths);
    return pair;
}

PyObject *
joined(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column, *after;
    Py_ssize_t count, size = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!O!:joined", &PyBytes_Type, &source, &PyBytes_Type, &column, &PyBytes_Type, &after))
        return NULL;
    const Span *spans = spans_of(column, PyBytes_Size(source), &count);
    if (spans == NULL)
        return NULL;
    const char *text = PyBytes_AsString(source), *end = PyBytes_AsString(after);
    Py_ssize_t end_size = PyBytes_Size(after);
    PyObject *lengths = PyBytes_FromStringAndSize(NULL, count * 4);
    if (lengths == NULL)
        return NULL;
    uint32_t *sizes = (uint32_t *)PyBytes_AsString(lengths);
    for (Py_ssize_t i = 0; i < count; i++) {
        sizes[i] = (spans[i].end & ~ODD) - spans[i].start + (uint32_t)end_size;
        size += sizes[i];
    }
    PyObject *rows = PyBytes_FromStringAndSize(NULL, size);
    char *to = rows ? PyBytes_AsString(rows) : NULL;
    for (Py_ssize_t i = 0; rows && i < count; i++) {
        Py_ssize_t part = (Py_ssize_t)sizes[i] - end_size;
        memcpy(to, text + spans[i].start, (size_t)part);
        memcpy(to + part, end, (size_t)end_size);
        to += part + end_size;
    }
    return text_and_lengths(rows, lengths);
}

/* A cell in quotes, each quote in it twice. */
static int
put_quoted(Growing *row, const byte *at, const byte *end)
{
    if (make_room(row, (end - at) * 2 + 2) < 0)
        return -1;
    byte *to = row->content + row->size;
    *to++ = '"';
    for (; at < end; at++) {
        *to++ = *at;
        if (*at == '"')
            *to++ = '"';
    }
    *to++ = '"';
    row->size = to - row->content;
    return 0;
}

static int
put_made(Growing *row, const byte *at, const byte *end, PyObject *other)
{
    PyObject *token = PyBytes_FromStringAndSize((const char *)at, end - at);
    PyObject *cell = token ? PyObject_CallFunctionObjArgs(other, token, NULL) : NULL;
    char *content;
    Py_ssize_t size;
    int failed = cell == NULL || PyBytes_AsStringAndSize(cell, &content, &size) < 0 || put(row, (const byte *)content, size) < 0;
    Py_XDECREF(cell);
    Py_XDECREF(token);
    return failed ? -1 : 0;
}

static int
put_cell(Growing *row, const byte *text, Span span, PyObject *other)
{
    const byte *at = text + span.start, *end = text + (span.end & ~ODD);
    if (at == end || *at == 'n')
        return 0;
    if (span.end & ODD)
        return put_made(row, at, end, other);
    return *at == '{' || *at == '[' ? put_quoted(row, at, end) : put(row, at, end - at);
}

/* A text of CSV that comes from a cell; one that is ODD has its quotes doubled already. */
static int
put_text(Growing *row, const byte *text, Span span, PyObject *nulls)
{
    const byte *at = text + span.start, *end = text + (span.end & ~ODD);
    if (is_null(at, end, nulls))
        return 0;
    if (!(span.end & ODD) && memchr(at, '"', (size_t)(end - at)))
        return put_quoted(row, at, end);
    return put(row, (const byte *)"\"", 1) < 0 || put(row, at, end - at) < 0 || put(row, (const byte *)"\"", 1) < 0 ? -1 : 0;
}

/* How a span becomes a cell; `more` is what else that takes. */
typedef int (*Putting)(Growing *row, const byte *text, Span span, PyObject *more);

static PyObject *
rows_of(PyObject *source, PyObject *columns, Py_ssize_t rows, PyObject *between, PyObject *after, Putting put_span, PyObject *more)
{
    const byte *text = (const byte *)PyBytes_AsString(source);
    const byte *delimiter = (const byte *)PyBytes_AsString(between), *end = (const byte *)PyBytes_AsString(after);
    Py_ssize_t delimiter_size = PyBytes_Size(between), end_size = PyBytes_Size(after), count = PyTuple_Size(columns);
    Growing made = {NULL, 0, 0};
    PyObject *lengths = PyBytes_FromStringAndSize(NULL, rows * 4), *found = NULL;
    const Span **spans = PyMem_Calloc((size_t)count + 1, sizeof(Span *));
    if (lengths == NULL || spans == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *column = PyTuple_GetItem(columns, i);
        Py_ssize_t size = -1;
        if (PyBytes_Check(column)) {
            spans[i] = spans_of(column, PyBytes_Size(source), &size);
            if (spans[i] == NULL)
                goto done;
        }
        else if (PyList_Check(column))
            size = PyList_Size(column);
        if (size != rows) {
            PyErr_SetString(PyExc_ValueError, "a column is neither spans nor a list of cells, or has not as many as there are rows");
            goto done;
        }
    }
    uint32_t *sizes = (uint32_t *)PyBytes_AsString(lengths);
    for (Py_ssize_t row = 0; row < rows; row++) {
        Py_ssize_t begun = made.size;
        for (Py_ssize_t i = 0; i < count; i++) {
            if (i && put(&made, delimiter, delimiter_size) < 0)
                goto done;
            if (spans[i]) {
                if (put_span(&made, text, spans[i][row], more) < 0)
                    goto done;
                continue;
            }
            PyObject *cells = PyTuple_GetItem(columns, i);
            char *content;
            Py_ssize_t size;
            PyObject *cell = PyList_GetItem(cells, row);
            if (cell == NULL || PyBytes_AsStringAndSize(cell, &content, &size) < 0 || put(&made, (const byte *)content, size) < 0)
                goto done;
        }
        if (put(&made, end, end_size) < 0)
            goto done;
        if (made.size - begun > (Py_ssize_t)LONGEST_TEXT) {
            PyErr_SetString(PyExc_OverflowError, "a row is too long");
            goto done;
        }
        sizes[row] = (uint32_t)(made.size - begun);
    }
    found = text_and_lengths(PyBytes_FromStringAndSize((const char *)made.content, made.size), Py_NewRef(lengths));
done:
    Py_XDECREF(lengths);
    PyMem_Free((void *)spans);
    PyMem_Free(made.content);
    return found;
}

PyObject *
csv_rows(PyObject *module, PyObject *arguments)
{
    PyObject *source, *columns, *between, *after, *other;
    Py_ssize_t rows;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!nO!O!O:csv_rows", &PyBytes_Type, &source, &PyTuple_Type, &columns, &rows, &PyBytes_Type, &between,
                          &PyBytes_Type, &after, &other))
        return NULL;
    return rows_of(source, columns, rows, between, after, put_cell, other);
}

PyObject *
csv_rows_of_cells(PyObject *module, PyObject *arguments)
{
    PyObject *source, *columns, *between, *after, *nulls;
    Py_ssize_t rows;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!nO!O!O!:csv_rows_of_cells", &PyBytes_Type, &source, &PyTuple_Type, &columns, &rows, &PyBytes_Type,
                          &between, &PyBytes_Type, &after, &PyTuple_Type, &nulls))
        return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_Size(nulls); i++)
        if (!PyBytes_Check(PyTuple_GetItem(nulls, i))) {
            PyErr_SetString(PyExc_TypeError, "texts that mean null are bytes");
            return NULL;
        }
    return rows_of(source, columns, rows, between, after, put_text, nulls);
}

/* The rows of some groups, each a list of indices, as a list of pairs of text and lengths. */
PyObject *
gathered(PyObject *module, PyObject *arguments)
{
    PyObject *source, *groups;
    Py_buffer lengths;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!y*O!:gathered", &PyBytes_Type, &source, &lengths, &PyList_Type, &groups))
        return NULL;
    Py_ssize_t count = lengths.len / 4, text_size = PyBytes_Size(source), end = 0, all = PyList_Size(groups);
    const char *text = PyBytes_AsString(source);
    const uint32_t *sizes = lengths.buf;
    Py_ssize_t *ends = PyMem_Malloc(sizeof(Py_ssize_t) * (size_t)(count + 1));
    PyObject *found = ends ? PyList_New(all) : PyErr_NoMemory();
    for (Py_ssize_t i = 0; ends && i < count; i++)
        ends[i] = end += sizes[i];
    if (found && end != text_size) {
        PyErr_SetString(PyExc_ValueError, "the lengths are not those of this text");
        Py_CLEAR(found);
    }
    for (Py_ssize_t group = 0; found && group < all; group++) {
        PyObject *members = PyList_GetItem(groups, group);
        Py_ssize_t rows = members && PyList_Check(members) ? PyList_Size(members) : -1, size = 0;
        PyObject *taken = rows < 0 ? NULL : PyBytes_FromStringAndSize(NULL, rows * 4);
        uint32_t *indices = taken ? (uint32_t *)PyBytes_AsString(taken) : NULL;
        if (rows < 0 && !PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "a group is no list");
        for (Py_ssize_t i = 0; taken && i < rows; i++) {
            Py_ssize_t index = PyLong_AsSsize_t(PyList_GetItem(members, i));
            if (index < 0 || index >= count) {
                if (!PyErr_Occurred())
                    PyErr_SetString(PyExc_IndexError, "there is no such row");
                Py_CLEAR(taken);
                break;
            }
            indices[i] = (uint32_t)index;
            size += sizes[index];
        }
        PyObject *part = taken ? PyBytes_FromStringAndSize(NULL, size) : NULL;
        char *to = part ? PyBytes_AsString(part) : NULL;
        for (Py_ssize_t i = 0; part && i < rows; i++) {
            uint32_t length = sizes[indices[i]];
            memcpy(to, text + ends[indices[i]] - length, length);
            to += length;
            indices[i] = length;
        }
        PyObject *pair = text_and_lengths(part, taken);
        if (pair == NULL || PyList_SetItem(found, group, pair) < 0)
            Py_CLEAR(found);
    }
    PyMem_Free(ends);
    PyBuffer_Release(&lengths);
    return found;
}
