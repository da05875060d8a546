/* The extension `ozzy.data._native`: what it offers is described in `_native.pyi`. */

#include "native.h"

static PyMethodDef functions[] = {
    {"scan_json", scan_json, METH_VARARGS, NULL},
    {"values", values, METH_VARARGS, NULL},
    {"size", size, METH_O, NULL},
    {"cut", cut, METH_VARARGS, NULL},
    {"chosen", chosen, METH_VARARGS, NULL},
    {"taken", taken, METH_VARARGS, NULL},
    {"joined", joined, METH_VARARGS, NULL},
    {"gathered", gathered, METH_VARARGS, NULL},
    {"equal_texts", equal_texts, METH_VARARGS, NULL},
    {"compared_numbers", compared_numbers, METH_VARARGS, NULL},
    {"csv_rows", csv_rows, METH_VARARGS, NULL},
    {"csv_rows_of_cells", csv_rows_of_cells, METH_VARARGS, NULL},
    {"scan_csv", scan_csv, METH_VARARGS, NULL},
    {"csv_cells", csv_cells, METH_VARARGS, NULL},
    {"csv_values", csv_values, METH_VARARGS, NULL},
    {"csv_check", csv_check, METH_VARARGS, NULL},
    {"csv_mask", csv_mask, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", NULL, 0, functions, slots, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
