"""CloudWatch's metric math: expressions over series of datapoints. Pure.

Served: `+ - * /`, parentheses, numbers, ids of other queries, arrays like `[m1, m2]`, `METRICS()`, `SUM`, `AVG`, `MIN`,
`MAX`, and `FILL` with a number. The syntax of this part is Python's, so Python's parser reads it.

Source: "Using math expressions with CloudWatch metrics".
"""

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

_MOST_WORK: Final = 1_000_000
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_TOTALS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {"SUM": sum, "AVG": fmean, "MIN": min, "MAX": max}
_SERVED: Final = f"+ - * / [] METRICS() {' '.join(_TOTALS)} FILL"


class ExpressionError(ValueError):
    """What cannot be computed, in words for the client."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values by epoch second of their period. `moments` has all periods of the range, also those without a value."""

    points: Mapping[int, float]
    moments: range


Value = float | Series | tuple[Series, ...]


class Calculator:
    """Computes expressions; `series_of` gives another query's series by its id, or raises ExpressionError.

    `metrics` gives the series of all queries that are no expressions. The work of all expressions together is bounded.
    """

    def __init__(self, series_of: Callable[[str], Series], metrics: Callable[[], Sequence[Series]]) -> None:
        self._series_of = series_of
        self._metrics = metrics
        self._work = 0

    def compute(self, expression: str) -> Series:
        """The series of an expression. Raises ExpressionError."""
        try:
            value = self._value(_parsed(expression))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionError(f"it cannot be read; served are {_SERVED}") from error
        if not isinstance(value, Series):
            raise ExpressionError("it must result in one time series")
        return value

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return _number(number)
            case ast.Name(id=name):
                return self._series_of(name)
            case ast.List(elts=items):
                return tuple(map(self._series, items))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._combine(operator.mul, -1.0, self._value(operand))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
                return self._combine(_OPERATORS[type(sign)], self._value(left), self._value(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        raise ExpressionError(f"'{ast.unparse(node)}' is not served; served are {_SERVED}")

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Value:
        match name, arguments:
            case "METRICS", []:
                return tuple(self._metrics())
            case "FILL", [series, filler]:
                return self._fill(self._series(series), self._value(filler))
            case _, [argument] if name in _TOTALS:
                return self._total(_TOTALS[name], self._value(argument))
        raise ExpressionError(f"{name} with {len(arguments)} arguments is not served; served are {_SERVED}")

    def _series(self, node: ast.expr) -> Series:
        value = self._value(node)
        if not isinstance(value, Series):
            raise ExpressionError(f"'{ast.unparse(node)}' must be a time series")
        return value

    def _combine(self, sign: Callable[[float, float], float], left: Value, right: Value) -> Value:
        match left, right:
            case Series(), Series():
                common = left.points.keys() & right.points.keys()
                return self._made(
                    left, {moment: (left.points[moment], right.points[moment]) for moment in common}, sign
                )
            case Series(), float():
                return self._made(left, {moment: (value, right) for moment, value in left.points.items()}, sign)
            case float(), Series():
                return self._made(right, {moment: (left, value) for moment, value in right.points.items()}, sign)
            case float(), float():
                return _told(_apply(sign, left, right))
        raise ExpressionError("an array can only be given to a function")

    def _made(self, like: Series, pairs: Mapping[int, tuple[float, float]], sign: Callable[..., float]) -> Series:
        self._count(len(pairs))
        # As in CloudWatch, a period without a result has no point.
        found = {moment: _apply(sign, *pair) for moment, pair in pairs.items()}
        return Series({moment: value for moment, value in found.items() if value is not None}, like.moments)

    def _total(self, total: Callable[[Sequence[float]], float], value: Value) -> Value:
        """One number for a series; for an array, the series of what each period has."""
        if isinstance(value, float):
            return value
        if isinstance(value, Series):
            self._count(len(value.points))
            if not value.points:
                raise ExpressionError("a time series in it has no data")
            return _told(_apply(total, tuple(value.points.values())))
        if not value:
            raise ExpressionError("an array in it is empty")
        together: dict[int, list[float]] = {}
        for series in value:
            self._count(len(series.points))
            for moment, point in series.points.items():
                together.setdefault(moment, []).append(point)
        found = {moment: _apply(total, points) for moment, points in together.items()}
        return Series({moment: point for moment, point in found.items() if point is not None}, value[0].moments)

    def _fill(self, series: Series, filler: Value) -> Series:
        if not isinstance(filler, float):
            raise ExpressionError("FILL is served with a number only")
        self._count(len(series.moments))
        return Series({moment: series.points.get(moment, filler) for moment in series.moments}, series.moments)

    def _count(self, points: int) -> None:
        self._work += points
        if self._work > _MOST_WORK:
            raise ExpressionError(f"the expressions of a call can go over {_MOST_WORK:,} datapoints together")


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ExpressionError("a number in it is too great") from error


def _apply(function: Callable[..., float], *arguments: object) -> float | None:
    """The result, None where there is none: divided by zero, or too great."""
    try:
        result = function(*arguments)
    except ArithmeticError:
        return None
    return result if math.isfinite(result) else None


def _told(result: float | None) -> float:
    if result is None:
        raise ExpressionError("a number in it is divided by zero or too great")
    return result


def _parsed(expression: str) -> ast.expr:
    with warnings.catch_warnings():
        # What Python only warns of, such as `1if`, is no expression here.
        warnings.simplefilter("error")
        return ast.parse(expression.strip(), mode="eval").body
