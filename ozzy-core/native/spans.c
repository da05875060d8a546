/* Columns of spans: made, chosen from, and cut out of their text. */

#include "native.h"

#include <stdlib.h>

int
columns_begin(Columns *columns, Py_ssize_t count, Py_ssize_t room)
{
    columns->count = count;
    columns->rows = 0;
    columns->room = room;
    columns->columns = calloc((size_t)count, sizeof(Span *));
    for (Py_ssize_t i = 0; columns->columns && i < count; i++) {
        columns->columns[i] = malloc(sizeof(Span) * (size_t)room);
        if (columns->columns[i] == NULL)
            break;
    }
    if (columns->columns && columns->columns[count - 1])
        return 0;
    PyErr_NoMemory();
    return -1;
}

/* Twice the room; -1 without an exception where there is none, since it is called without the lock of the interpreter. */
int
columns_grow(Columns *columns)
{
    columns->room *= 2;
    for (Py_ssize_t i = 0; i < columns->count; i++) {
        Span *larger = realloc(columns->columns[i], sizeof(Span) * (size_t)columns->room);
        if (larger == NULL)
            return -1;
        columns->columns[i] = larger;
    }
    return 0;
}

void
columns_free(Columns *columns)
{
    for (Py_ssize_t i = 0; columns->columns && i < columns->count; i++)
        free(columns->columns[i]);
    free(columns->columns);
}

PyObject *
columns_taken(Columns *columns)
{
    PyObject *taken = PyTuple_New(columns->count);
    for (Py_ssize_t i = 0; taken && i < columns->count; i++) {
        PyObject *spans = PyBytes_FromStringAndSize((const char *)columns->columns[i], (Py_ssize_t)sizeof(Span) * columns->rows);
        if (spans == NULL || PyTuple_SetItem(taken, i, spans) < 0)
            Py_CLEAR(taken);
    }
    return taken;
}

const Span *
spans_of(PyObject *argument, Py_ssize_t text_size, Py_ssize_t *count)
{
    char *content;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(argument, &content, &size) < 0)
        return NULL;
    *count = size / (Py_ssize_t)sizeof(Span);
    const Span *spans = (const Span *)content;
    int sound = size % (Py_ssize_t)sizeof(Span) == 0;
    for (Py_ssize_t i = 0; sound && i < *count; i++) {
        uint32_t end = spans[i].end & ~ODD;
        sound = spans[i].start <= end && (Py_ssize_t)end <= text_size;
    }
    if (sound)
        return spans;
    PyErr_SetString(PyExc_ValueError, "these are no spans of this text");
    return NULL;
}

PyObject *
cut(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column;
    Py_ssize_t count;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!:cut", &PyBytes_Type, &source, &PyBytes_Type, &column))
        return NULL;
    const Span *spans = spans_of(column, PyBytes_Size(source), &count);
    PyObject *parts = spans ? PyList_New(count) : NULL;
    const char *text = PyBytes_AsString(source);
    for (Py_ssize_t i = 0; parts && i < count; i++) {
        PyObject *part = PyBytes_FromStringAndSize(text + spans[i].start, (Py_ssize_t)(spans[i].end & ~ODD) - spans[i].start);
        if (part == NULL || PyList_SetItem(parts, i, part) < 0)
            Py_CLEAR(parts);
    }
    return parts;
}

PyObject *
chosen(PyObject *module, PyObject *arguments)
{
    PyObject *columns, *mask;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!:chosen", &PyTuple_Type, &columns, &PyList_Type, &mask))
        return NULL;
    Py_ssize_t rows = PyList_Size(mask), count = PyTuple_Size(columns), kept = 0;
    uint32_t *indices = PyMem_Malloc(sizeof(uint32_t) * (size_t)(rows + 1));
    if (indices == NULL)
        return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < rows; i++) {
        PyObject *truth = PyList_GetItem(mask, i);
        int is_true = truth == Py_True ? 1 : truth == Py_False ? 0 : PyObject_IsTrue(truth);
        if (is_true < 0 || PyList_Size(mask) != rows) {
            PyMem_Free(indices);
            if (is_true >= 0)
                PyErr_SetString(PyExc_RuntimeError, "the mask changed");
            return NULL;
        }
        indices[kept] = (uint32_t)i;
        kept += is_true;
    }
    PyObject *found = PyTuple_New(count);
    for (Py_ssize_t i = 0; found && i < count; i++) {
        char *content;
        Py_ssize_t size;
        PyObject *part = NULL;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(columns, i), &content, &size) == 0) {
            if (size != rows * (Py_ssize_t)sizeof(Span))
                PyErr_SetString(PyExc_ValueError, "a column and the mask differ in length");
            else
                part = PyBytes_FromStringAndSize(NULL, kept * (Py_ssize_t)sizeof(Span));
        }
        if (part != NULL) {
            const Span *from = (const Span *)content;
            Span *to = (Span *)PyBytes_AsString(part);
            for (Py_ssize_t row = 0; row < kept; row++)
                to[row] = from[indices[row]];
        }
        if (part == NULL || PyTuple_SetItem(found, i, part) < 0)
            Py_CLEAR(found);
    }
    PyMem_Free(indices);
    return found;
}

PyObject *
taken(PyObject *module, PyObject *arguments)
{
    PyObject *columns, *wanted;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O:taken", &PyTuple_Type, &columns, &wanted))
        return NULL;
    Py_ssize_t rows = PySequence_Size(wanted), count = PyTuple_Size(columns);
    if (rows < 0)
        return NULL;
    Py_ssize_t *indices = PyMem_Malloc(sizeof(Py_ssize_t) * (size_t)(rows + 1));
    if (indices == NULL)
        return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < rows; i++) {
        PyObject *index = PySequence_GetItem(wanted, i);
        indices[i] = index ? PyLong_AsSsize_t(index) : -1;
        Py_XDECREF(index);
        if (indices[i] == -1 && PyErr_Occurred()) {
            PyMem_Free(indices);
            return NULL;
        }
    }
    PyObject *found = PyTuple_New(count);
    for (Py_ssize_t i = 0; found && i < count; i++) {
        char *content;
        Py_ssize_t size;
        PyObject *part = NULL;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(columns, i), &content, &size) == 0)
            part = PyBytes_FromStringAndSize(NULL, rows * (Py_ssize_t)sizeof(Span));
        if (part != NULL) {
            Py_ssize_t there = size / (Py_ssize_t)sizeof(Span);
            const Span *from = (const Span *)content;
            Span *to = (Span *)PyBytes_AsString(part);
            for (Py_ssize_t row = 0; part && row < rows; row++) {
                Py_ssize_t index = indices[row] < 0 ? indices[row] + there : indices[row];
                if (index < 0 || index >= there) {
                    PyErr_SetString(PyExc_IndexError, "there is no such row");
                    Py_CLEAR(part);
                }
                else
                    to[row] = from[index];
            }
        }
        if (part == NULL || PyTuple_SetItem(found, i, part) < 0)
            Py_CLEAR(found);
    }
    PyMem_Free(indices);
    return found;
}

PyObject *
size(PyObject *module, PyObject *column)
{
    char *content;
    Py_ssize_t bytes, total = 0;
    (void)module;
    if (PyBytes_AsStringAndSize(column, &content, &bytes) < 0)
        return NULL;
    const Span *spans = (const Span *)content;
    for (Py_ssize_t i = 0; i < bytes / (Py_ssize_t)sizeof(Span); i++)
        total += (Py_ssize_t)(spans[i].end & ~ODD) - spans[i].start;
    return PyLong_FromSsize_t(total);
}
