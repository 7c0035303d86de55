#!/usr/bin/env python3
"""Makes orders.csv again, byte for byte. Nobody in it lives: names are put together by lot, and so is all else."""

import csv
import datetime
import io
import random
import sys
import unicodedata
from pathlib import Path

FIRST = """Ada Zoë Łukasz Björn Siân Nguyễn Chloé Håkon Mónica Dvořák Æsa Günther İpek Ximena Oisín Ruža Tomáš Élodie Søren Marta
Pablo Greta Liam Noor Priya Kenji Amara Ivan Hanna Felix Clara Mateo Olga Bruno Yara Viktor Lena Omar Rosa Emil""".split()
LAST = """Lindqvist Żak Müller-Lüdenscheidt O'Brien Ferreira Nováková Þórsson Çelik Ionescu Łapińska Kowalczyk Haugland
Bergström Delacroix Fitzgerald Papadakis Szabó Rasmussen Castellano Vandenberghe Okonkwo Takahashi Ramírez Pettersen Weißmann
Costantini Mäkinen Dubois Horvat Zieliński Abernathy Quigley Moreau Steinbach Sørensen Petrović Lombardi Arslan Jónsdóttir
Espinoza""".split()
# No letters that these alphabets lack, and no blank between the parts.
OTHERS = ["山田花子さん", "Ольга Смирнова", "Ιωάννα Παππά", "नेहा शर्मा", "محمد الأحمد"]
COUNTRIES = ["DE"] * 6 + ["FR"] * 4 + ["IT"] * 3 + ["ES", "PL", "NL", "SE", "DK", "NO", "CH", "GB", "US"]
PREFIX = {"DE": 49, "FR": 33, "IT": 39, "ES": 34, "PL": 48, "NL": 31, "SE": 46, "DK": 45, "NO": 47, "CH": 41, "GB": 44, "US": 1}
HOUR = {"GB": 0, "US": -5}
PLAIN = str.maketrans({"ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae", "ß": "ss", "þ": "th", "Þ": "th", "ı": "i"})

lot = random.Random(20250101)


def below(limit: int) -> int:
    # Of all that `random` offers, this alone is promised to give the same in every version of Python.
    return int(lot.random() * limit)


def one_of(things):
    return things[below(len(things))]


def plain(text: str) -> str:
    text = unicodedata.normalize("NFD", text.translate(PLAIN))
    return "".join(c for c in text.lower() if c.isascii() and c.isalnum())


def luhn(digits: str) -> str:
    total = sum(sum(divmod(2 * int(d), 10)) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def customers(count: int):
    for number in range(count):
        first, last = one_of(FIRST), one_of(LAST)
        middle = chr(ord("A") + below(26)) + "."
        name = f"{first} {middle} {last}"
        if number % 97 == 5:
            name = OTHERS[number // 97 % len(OTHERS)]
        elif number % 41 == 7:
            name = f"{last}, {first} {middle}"
        elif number % 53 == 11:
            name = f'{first} "{plain(first)[:3].title()}" {last}'
        country = one_of(COUNTRIES)
        card = luhn(one_of(["4000", "5100", "5500", "4999"]) + "".join(str(below(10)) for _ in range(11)))
        born = datetime.date(1940, 1, 1) + datetime.timedelta(days=below(365 * 65))
        yield {
            "name": name,
            "email": f"{plain(first)}.{plain(last)}{number}@{one_of(['example.org', 'example.com', 'example.net'])}",
            "phone": f"+{PREFIX[country]} {below(900) + 100} {below(9000) + 1000} {below(900) + 100}",
            "card": " ".join(card[at : at + 4] for at in range(0, 16, 4)) if number % 3 else card,
            "born": born.strftime("%d.%m.%Y"),
            "country": country,
        }


def note(customer) -> str:
    kind = below(40)
    if kind == 0:
        return "Leave it with the neighbour,\nthe bell is broken"
    if kind == 1:
        return f"For {customer['name']}\r\nring {customer['phone']}"
    if kind == 2:
        return f'Invoice to {customer["email"]}, "urgent"'
    return "gift" if kind < 7 else ""


def orders(count: int):
    known = list(customers(count // 4))
    start = datetime.datetime(2024, 12, 30)
    for number in range(count):
        customer = one_of(known)
        country = customer["country"]
        zone = datetime.timezone(datetime.timedelta(hours=HOUR.get(country, 1)))
        placed = (start + datetime.timedelta(seconds=below(92 * 86400))).replace(tzinfo=zone)
        cents = 10 ** (2 + below(4)) + below(99999)
        email = customer["email"]
        yield {
            "order_id": 100000 + number,
            "placed_at": placed.strftime("%Y-%m-%dT%H:%M:%S") + placed.strftime("%z")[:3] + ":00",
            "channel": one_of(["web", "web", "web", "app", "app", "shop", "test"]) if number % 9 else "web",
            # One address in several writings.
            "email": [email, email, email.upper(), email.title(), f" {email}"][below(5)],
            "customer": customer["name"],
            "phone": customer["phone"],
            "card": customer["card"],
            "born": customer["born"],
            "country": country,
            "gross": f"{cents // 100:,}.{cents % 100:02}",
            "note": note(customer),
        }


def soil(number: int, row: dict) -> dict:
    """What goes wrong in feeds, in about one row of fifty."""
    match number % 350:
        case 17:
            row["born"] = f"31.02.{row['born'][-4:]}"  # no such day
        case 61:
            row["placed_at"] = row["placed_at"].replace("T", " at ")
        case 103:
            row["gross"] = "-" + row["gross"]
        case 149:
            row["email"] = row["email"].replace("@", " at ")
        case 190:
            row["email"] = ""
        case 233:
            row["gross"] = "n/a"
        case 277:
            row["country"] = "XK"  # not in countries.csv
    return row


def text(count: int) -> str:
    out = io.StringIO()
    rows = [soil(number, row) for number, row in enumerate(orders(count))]
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(rows):
        if number % 750 == 333:
            # The name with a comma and without its quotes: a field too many.
            fields = [str(row[name]) for name in row if name != "note"]
            fields[4] = f"{row['customer'].split()[-1]}, {row['customer'].split()[0]}"
            out.write(",".join(fields).replace('"', "") + ",\n")
            continue
        writer.writerow(row)
        if number % 200 == 120:
            # Sent twice.
            writer.writerow(row)
    return out.getvalue()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("orders.csv")
    target.write_text(text(3000), encoding="utf-8", newline="")
