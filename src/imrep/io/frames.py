"""Tables as pandas data frames, where pandas is installed."""

from typing import TYPE_CHECKING, Any

from imrep.errors import ExtraNeeded

if TYPE_CHECKING:
    from pandas import DataFrame


def data_frame(table: Any, caller: str) -> "DataFrame":
    """A data frame of a list of rows, or of a dictionary of columns.

    Raises:
        ExtraNeeded: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ExtraNeeded(f"{caller} needs the package pandas. pip install pandas") from error
    return pandas.DataFrame(table)
