/* Rows of CSV that are the same rows to everyone, and where their cells stand: quotes are around whole cells and doubled in them, no line
   ends within a cell, each row has as many cells as there are columns, and all is UTF-8. */

#include "native.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* `quotechar` is -1 where there is none; `places` has for each cell of a row the column that takes it, or -1. */
typedef struct {
    int delimiter;
    int quotechar;
    Py_ssize_t count;
    const Py_ssize_t *places;
} Form;

/* The first byte from `at` on that is the sign or at most a CR; `end` where there is none. `high` is set where one before it is no ASCII. */
static inline const byte *
stop(const byte *at, const byte *end, int sign, unsigned *high)
{
#ifdef __SSE2__
    const __m128i signs = _mm_set1_epi8((char)sign), most = _mm_set1_epi8('\r');
    while (end - at >= 16) {
        __m128i part = _mm_loadu_si128((const __m128i *)at);
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(part, signs), _mm_cmpeq_epi8(_mm_min_epu8(part, most), part));
        unsigned mask = (unsigned)_mm_movemask_epi8(found), above = (unsigned)_mm_movemask_epi8(part);
        if (mask) {
            *high |= above & ((mask & -mask) - 1);
            return at + __builtin_ctz(mask);
        }
        *high |= above;
        at += 16;
    }
#endif
    while (at < end && *at != sign && *at > '\r')
        *high |= *at++ & 0x80;
    return at;
}

static int
is_utf8(const byte *at, const byte *end)
{
    while (at < end) {
        int size = *at < 0x80 ? 1 : character_size(at, end);
        if (size == 0)
            return 0;
        at += size;
    }
    return 1;
}

/* The closing quote of a cell whose opening one stands before `at`; NULL where it is not plain. */
static inline const byte *
closing(const byte *at, const byte *end, int quotechar, unsigned *high, int *odd)
{
    for (;; at++) {
        at = stop(at, end, quotechar, high);
        if (at == end)
            return NULL;
        if (*at == quotechar) {
            if (end - at == 1 || at[1] != quotechar)
                return at;
            *odd = 1;
            at++;
        }
        else if (*at == '\n' || *at == '\r' || *at == 0)
            return NULL;
    }
}

/* What ends a cell that is not quoted: a delimiter, a line's end, or `end`; NULL where it is not plain. */
static inline const byte *
ending(const byte *at, const byte *end, int delimiter, unsigned *high)
{
    for (;; at++) {
        at = stop(at, end, delimiter, high);
        if (at == end || *at == delimiter || *at == '\n' || *at == '\r')
            return at;
        if (*at == 0)
            return NULL;
    }
}

/* The end of the row that begins at `at`, whose cells are put into columns; NULL where it is not plain. */
static inline const byte *
read_row(const byte *text, const byte *at, const byte *end, const Form *form, Span **columns, Py_ssize_t row)
{
    for (Py_ssize_t place = 0; place < form->count; place++) {
        unsigned high = 0;
        int odd = 0;
        const byte *cell = at, *done;
        if (at < end && *at == form->quotechar) {
            cell++;
            done = closing(cell, end, form->quotechar, &high, &odd);
            if (done == NULL)
                return NULL;
            at = done + 1;
        }
        else
            at = done = ending(at, end, form->delimiter, &high);
        if (done == NULL || (high && !is_utf8(cell, done)))
            return NULL;
        Py_ssize_t column = form->places[place];
        if (column >= 0)
            columns[column][row] = (Span){(uint32_t)(cell - text), (uint32_t)(done - text) | (odd ? ODD : 0)};
        if (at == end || *at != form->delimiter)
            return place + 1 == form->count ? at : NULL;
        at++;
    }
    return NULL;
}

/* Read all rows; 1 where each is plain, 0 where one is not, -1 where memory ran out. The first column has the rows themselves. */
static int
read_rows(const byte *text, const byte *end, const Form *form, Columns *columns)
{
    const byte *at = text;
    while (at < end) {
        if (columns->rows == columns->room && columns_grow(columns) < 0)
            return -1;
        const byte *begun = at;
        if (*at == '\n' || *at == '\r')
            return 0;
        at = read_row(text, at, end, form, columns->columns, columns->rows);
        if (at == NULL)
            return 0;
        columns->columns[0][columns->rows++] = (Span){(uint32_t)(begun - text), (uint32_t)(at - text)};
        if (at == end)
            return 1;
        if (*at == '\r' && ++at == end)
            return 0;
        if (*at++ != '\n')
            return 0;
    }
    return 1;
}

/* Which column takes which cell, `first` being the first; NULL with an exception where there is no such cell. */
static Py_ssize_t *
places_of(PyObject *wanted, Py_ssize_t count, Py_ssize_t first)
{
    Py_ssize_t *places = count > 0 ? PyMem_Malloc(sizeof(Py_ssize_t) * (size_t)count) : NULL;
    if (places == NULL) {
        PyErr_SetString(PyExc_ValueError, "a row has one cell at the least");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        places[i] = -1;
    for (Py_ssize_t i = 0; i < PyTuple_Size(wanted); i++) {
        Py_ssize_t place = PyLong_AsSsize_t(PyTuple_GetItem(wanted, i));
        if (place < 0 || place >= count || places[place] >= 0) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "there is no such cell, or it is wanted twice");
            PyMem_Free(places);
            return NULL;
        }
        places[place] = first + i;
    }
    return places;
}

PyObject *
scan_csv(PyObject *module, PyObject *arguments)
{
    PyObject *source, *wanted, *found = NULL;
    Form form;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!nO!ii:scan_csv", &PyBytes_Type, &source, &form.count, &PyTuple_Type, &wanted, &form.delimiter,
                          &form.quotechar))
        return NULL;
    Py_ssize_t size = PyBytes_Size(source);
    if (size > LONGEST_TEXT)
        Py_RETURN_NONE;
    Py_ssize_t *places = places_of(wanted, form.count, 1);
    if (places == NULL)
        return NULL;
    form.places = places;
    const byte *text = (const byte *)PyBytes_AsString(source);
    Columns columns;
    if (columns_begin(&columns, PyTuple_Size(wanted) + 1, size / 128 + 16) == 0) {
        int plain;
        Py_BEGIN_ALLOW_THREADS
        plain = read_rows(text, text + size, &form, &columns);
        Py_END_ALLOW_THREADS
        if (plain == 1)
            found = columns_taken(&columns);
        else if (plain == 0)
            found = Py_NewRef(Py_None);
        else
            PyErr_NoMemory();
    }
    columns_free(&columns);
    PyMem_Free(places);
    return found;
}

PyObject *
csv_cells(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column, *wanted, *found = NULL;
    Py_ssize_t rows;
    Form form;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!nO!ii:csv_cells", &PyBytes_Type, &source, &PyBytes_Type, &column, &form.count, &PyTuple_Type,
                          &wanted, &form.delimiter, &form.quotechar))
        return NULL;
    const Span *spans = spans_of(column, PyBytes_Size(source), &rows);
    Py_ssize_t *places = spans ? places_of(wanted, form.count, 0) : NULL;
    if (places == NULL)
        return NULL;
    form.places = places;
    if (PyTuple_Size(wanted) == 0) {
        PyMem_Free(places);
        return PyTuple_New(0);
    }
    const byte *text = (const byte *)PyBytes_AsString(source);
    Columns columns;
    if (columns_begin(&columns, PyTuple_Size(wanted), rows + 1) == 0) {
        for (; columns.rows < rows; columns.rows++) {
            const byte *end = text + (spans[columns.rows].end & ~ODD);
            if (read_row(text, text + spans[columns.rows].start, end, &form, columns.columns, columns.rows) != end)
                break;
        }
        if (columns.rows == rows)
            found = columns_taken(&columns);
        else
            PyErr_SetString(PyExc_ValueError, "these are no rows of this form");
    }
    columns_free(&columns);
    PyMem_Free(places);
    return found;
}
