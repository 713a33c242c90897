# SPDX-License-Identifier: BSD-3-Clause
"""Compares the tables of _structs.py and _library.py with moepredict.h."""
import ctypes
import re
import unittest
from ctypes import (POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint8, c_uint32, c_uint64,
                    c_void_p)

import moepredict
from moepredict import _counts, _library, _structs, detector
from reference import ROOT

COMMENTED = (ROOT / "include" / "moepredict.h").read_text()
HEADER = re.sub(r"/\*.*?\*/|^#.*?$", "", COMMENTED, flags=re.S | re.M)

SCALARS = {"size_t": c_size_t, "uint8_t": c_uint8, "uint32_t": c_uint32, "uint64_t": c_uint64, "int32_t": c_int32,
           "int64_t": c_int64, "float": c_float, "double": c_double, "moep_status": c_int32, "moep_dtype": c_int32,
           "moep_method": c_int32, "moep_quantity": c_int32, "moep_state": c_int32, "moep_plan_method": c_int32}


def struct_of(c_name):
    """moep_backtest_config -> BacktestConfig, or None."""
    return getattr(_structs, "".join(word.capitalize() for word in c_name.split("_")[1:]), None)


def words_of(declaration):
    """'const double *shares' -> ('double', 1, 'shares')"""
    text = re.sub(r"\bconst\b", "", declaration)
    base, stars, name = re.fullmatch(r"\s*(\w+)\s*([\s*]*)([\w\[\]]*)\s*", text).groups()
    return base, stars.count("*"), name


def kinds_of(base, stars):
    """The ctypes that may stand for a C type. An array's address is passed as it is, as c_void_p."""
    if stars == 0:
        return [SCALARS[base]]
    if base in ("moep_predictor", "moep_detector", "moep_planner"):
        return [c_void_p if stars == 1 else POINTER(c_void_p)]
    if base == "char":
        return [c_char_p]
    if base == "void":
        return [c_void_p, c_char_p]
    if base in ("float", "double", "int64_t", "uint64_t", "uint8_t", "moep_state"):
        return [POINTER(SCALARS[base]), c_void_p]
    return [POINTER(SCALARS.get(base) or struct_of(base))]


def fields_of(body):
    """The fields of a struct's body: (name, the ctypes that may stand for it, (result, arguments) of a function)."""
    for declaration in filter(str.strip, body.split(";")):
        function = re.fullmatch(r"\s*(\w+) (\*?)\(\*(\w+)\)\((.*)\)\s*", declaration, flags=re.S)
        if function:
            base, star, name, arguments = function.groups()
            result = None if (base, star) == ("void", "") else kinds_of(base, len(star))[0]
            yield name, [c_void_p], (result, [kinds_of(*words_of(a)[:2])[0] for a in arguments.split(",")])
            continue
        first, *more = declaration.split(",")
        base, stars, name = words_of(first)
        for each in [name, *map(str.strip, more)]:
            array = re.fullmatch(r"(\w+)\[(\d+)\]", each)
            kinds = kinds_of(base, stars)
            yield (array.group(1), [kinds[0] * int(array.group(2))], None) if array else (each, kinds, None)


def structs():
    return re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", HEADER, flags=re.S)


def functions():
    return re.findall(r"MOEP_API ([\w\s]+?[\s*]+)(moep_\w+)\((.*?)\);", HEADER, flags=re.S)


def numbers_of(c_type):
    """The enum behind a typedef: {name: number}."""
    body = re.search(rf"typedef int32_t {c_type};\s*enum \{{(.*?)\}}", HEADER, flags=re.S).group(1)
    return {name: int(number) for name, number in re.findall(r"(MOEP_\w+) = (-?\d+)", body)}


class Structs(unittest.TestCase):
    def test_every_struct_of_the_header_has_a_table(self):
        ours = {cls.__name__ for cls in _structs.Struct.__subclasses__()}
        self.assertEqual({struct_of(name).__name__ for name, _ in structs() if struct_of(name)}, ours)
        self.assertEqual(len(structs()), len(ours))

    def test_fields_have_the_headers_order_names_and_types(self):
        for c_name, body in structs():
            expected, found = list(fields_of(body)), struct_of(c_name)._fields_
            with self.subTest(c_name):
                self.assertEqual([name for name, *_ in found], [name for name, *_ in expected])
            for (name, kind), (_, kinds, function) in zip(found, expected):
                with self.subTest(f"{c_name}.{name}"):
                    if function and kind is not c_void_p:
                        self.assertEqual((kind._restype_, list(kind._argtypes_)), function)
                    else:
                        self.assertIn(kind, kinds)

    def test_a_struct_knows_its_size(self):
        for cls in _structs.Struct.__subclasses__():
            with self.subTest(cls.__name__):
                self.assertEqual(cls().struct_size, ctypes.sizeof(cls))
                self.assertNotIn("struct_size", cls.names())
                self.assertNotIn("reserved", cls.names())


class Functions(unittest.TestCase):
    def test_every_function_of_the_header_is_declared(self):
        self.assertEqual([name for _, name, _ in functions()], list(_library.PROTOTYPES))
        self.assertEqual(HEADER.count("MOEP_API"), len(_library.PROTOTYPES))

    def test_arguments(self):
        for _, name, text in functions():
            arguments = [] if text == "void" else [words_of(argument)[:2] for argument in text.split(",")]
            found = _library.PROTOTYPES[name][1]
            with self.subTest(name):
                self.assertEqual(len(found), len(arguments))
            for position, (kind, c_type) in enumerate(zip(found, arguments)):
                with self.subTest(name, position=position):
                    self.assertIn(kind, kinds_of(*c_type))

    def test_results(self):
        for result, name, _ in functions():
            base, stars, _ = words_of(result)
            found = _library.PROTOTYPES[name][0]
            with self.subTest(name):
                if base == "moep_status":
                    self.assertIs(found, _library.Status)
                elif (base, stars) == ("void", 0):
                    self.assertIsNone(found)
                else:
                    self.assertIn(found, kinds_of(base, stars))

    def test_every_function_is_declared_in_the_library(self):
        for name, (result, arguments) in _library.PROTOTYPES.items():
            function = getattr(_library.library, name)
            with self.subTest(name):
                self.assertIs(function.restype, result)
                self.assertEqual(list(function.argtypes), arguments)


class Numbers(unittest.TestCase):
    def test_dtypes(self):
        self.assertEqual({f"MOEP_{dtype.name.upper()}": number for dtype, number in _counts.DTYPES.items()},
                         numbers_of("moep_dtype"))

    def test_statuses(self):
        numbers = numbers_of("moep_status")
        for name in ("INVALID_ARGUMENT", "OUT_OF_MEMORY", "CANCELLED"):
            self.assertEqual(getattr(_library, f"_{name}"), numbers[f"MOEP_ERROR_{name}"])
        self.assertEqual(numbers["MOEP_OK"], 0)

    def test_methods(self):
        self.assertEqual({f"MOEP_{name.upper()}": number for number, name in enumerate(moepredict.methods())},
                         numbers_of("moep_method"))

    def test_states_and_quantities(self):
        self.assertEqual({f"MOEP_{state.name}": state.value for state in moepredict.State}, numbers_of("moep_state"))
        for name, number in numbers_of("moep_quantity").items():
            self.assertEqual(getattr(detector, name[4:]), number)

    def test_methods_of_a_plan(self):
        self.assertEqual({f"MOEP_PLAN_{name.upper()}": number for number, name in enumerate(_structs.PLAN_METHODS)},
                         numbers_of("moep_plan_method"))

    def test_weights(self):
        names = set(re.findall(r"MOEP_LSTM_(\w+) = (\d+)",
                               re.search(r"enum \{ MOEP_LSTM_UNTRAINED.*?\}", HEADER).group()))
        self.assertEqual({(weights.name, str(weights.value)) for weights in moepredict.Weights}, names)

    def test_version(self):
        parts = [re.search(rf"define MOEP_VERSION_{part} (\d+)", COMMENTED).group(1)
                 for part in ("MAJOR", "MINOR", "PATCH")]
        self.assertEqual(moepredict.__version__, ".".join(parts))
        self.assertEqual(_library.MAJOR, int(parts[0]))


class Defaults(unittest.TestCase):
    def promised(self, struct):
        body = re.search(rf"typedef struct {struct} \{{(.*?)\}} {struct};", COMMENTED, flags=re.S).group(1)
        found = re.findall(r"(\w+);\s*/\*(?:(?!\*/).)*?\bdefault (MOEP_LEARN|[\d.]*\d)", body, flags=re.S)
        return {name: moepredict.LEARN if value == "MOEP_LEARN" else float(value) for name, value in found}

    def test_defaults_of_a_detector_are_those_that_the_header_promises(self):
        promised = self.promised("moep_detector_config")
        self.assertEqual(sorted(promised), sorted(set(moepredict.DetectorConfig._fields) - {"windows"}))
        found = moepredict.Detector(layers=1, experts=2).config
        self.assertEqual({name: getattr(found, name) for name in promised}, promised)
        self.assertIn("default 10, 100, 0, 0", COMMENTED)
        self.assertEqual(found.windows, (10, 100, 0, 0))

    def test_defaults_of_a_planner_are_those_that_the_header_promises(self):
        promised = self.promised("moep_planner_config")
        self.assertEqual(sorted(promised), sorted(moepredict.PlannerConfig._fields))
        self.assertEqual(moepredict.Planner(layers=1, experts=2).config._asdict(), promised)

    def test_defaults_of_a_plan_are_those_that_the_header_promises(self):
        promised = self.promised("moep_plan_options")
        options = _structs.PlanOptions()
        _library.library.moep_plan_options_init(options)
        self.assertEqual({name: getattr(options, name) for name in promised}, promised)
        self.assertEqual(set(promised), set(_structs.PlanOptions.names()) - {"most_slots", "method", "layers"})
        self.assertEqual((options.most_slots, options.method, options.layers), (0, 0, None))

    def test_defaults_are_those_that_the_header_promises(self):
        promised = self.promised("moep_predictor_config")
        self.assertEqual(promised["sw_avg_window"], 200)
        for method in moepredict.methods():
            with moepredict.Predictor(method, layers=1, experts=2) as predictor:
                found = predictor.config._asdict()
            for name, names in _structs.NAMES.items():
                found[name] = names.index(found[name])
            with self.subTest(method):
                self.assertEqual({name: found[name] for name in promised}, promised)
                self.assertEqual(found["method"], method)
                self.assertEqual(sorted(promised), sorted(set(found) - {"method", "history"}))

    def test_names_of_enumerated_fields(self):
        for field, names in _structs.NAMES.items():
            prefix = field.split("_")[0].upper()
            for number, name in enumerate(names):
                self.assertIn(f"MOEP_{prefix}_{name.upper()} = {number}", HEADER)
        self.assertIn(f"MOEP_SELECT = {_structs.SELECT}", HEADER)
        self.assertIn(f"#define MOEP_LEARN ({moepredict.LEARN})\n", COMMENTED)

    def test_the_default_history_is_the_window(self):
        self.assertEqual(moepredict.Predictor("sw_avg", layers=1, experts=2, sw_avg_window=7).config.history, 7)
