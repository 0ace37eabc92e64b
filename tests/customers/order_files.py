"""Small files of order lines in the form of Online Retail, and mappings to read them by."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from customers.order_import import Imported, import_orders
from customers.order_mapping import OrderMapping

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def line(
    invoice: str = "1",
    product: str = "85123A",
    description: str = "LANTERN",
    quantity: str = "1",
    time: str = "12/1/2010 8:26",
    price: str = "2.55",
    customer: str = "17850",
    country: str = "United Kingdom",
) -> str:
    return ",".join((invoice, product, description, quantity, time, price, customer, country))


def mapping(**overrides: Any) -> OrderMapping:
    document = dict(OrderMapping.load("online_retail").document)
    return OrderMapping.from_document({**document, **overrides})


def write(folder: Path, *lines: str, header: str = HEADER, name: str = "orders.csv", encoding: str = "cp1252") -> Path:
    path = folder / name
    path.write_bytes("".join(f"{each}\r\n" for each in (header, *lines)).encode(encoding))
    return path


def bring_in(
    path: Path, *, now: datetime = NOW, tell: Callable[[str], None] = lambda _sentence: None, **overrides: Any
) -> Imported:
    return import_orders(path=path, mapping=mapping(**overrides), now=now, tell=tell)
