"""Made-up names: companies, people, places. None is meant to be a real company or person."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_STEM_STARTS = _words(
    "Alder Bram Calder Dorn Elm Fenn Gard Hallow Iver Jask Kest Lunt Marl Norn Orm Pell Quill Rav"
    " Selt Tarn Ulv Vand Wex Yarl Zell Brix Corv Drav Esk Falk"
)
_STEM_ENDS = _words(
    "wick holm mere stead vale berry ridge haven crest moor gate brook field mont shaw worth cote"
    " combe fell strand"
)

INDUSTRIES: dict[str, tuple[str, ...]] = {
    "Logistics": ("Freight", "Forwarding", "Logistics", "Haulage", "Shipping Lines"),
    "Food & Beverage": ("Foods", "Beverages", "Cold Storage", "Dairy", "Fine Bakery"),
    "Manufacturing": ("Components", "Castings", "Machine Works", "Tooling", "Precision Parts"),
    "Retail": ("Home Stores", "Outdoor", "Furniture", "Toys & Games", "Bicycles"),
    "Healthcare": ("Medical Supply", "Diagnostics", "Pharma Logistics", "Dental", "Care Products"),
    "Energy": ("Solar", "Wind Services", "Battery Systems", "Hydro", "Grid Supply"),
    "Chemicals": ("Coatings", "Polymers", "Agrochem", "Resins", "Specialty Gases"),
    "Wholesale": ("Trading", "Import Export", "Wholesale", "Paper & Packaging", "Textiles"),
}
INDUSTRY_NAMES = tuple(INDUSTRIES)


@dataclass(frozen=True)
class Country:
    """A country of customers: currency it is billed in, UTC offset in hours, name cultures."""

    name: str
    region: str
    currency: str
    offset: float
    cultures: tuple[str, ...]
    legal_forms: tuple[str, ...]
    weight: int


COUNTRIES = (
    Country(
        "United States", "AMER", "USD", -5, ("english", "spanish", "chinese"), ("Inc.", "LLC"), 30
    ),
    Country("Canada", "AMER", "USD", -5, ("english", "french", "indian"), ("Ltd.",), 6),
    Country("Mexico", "AMER", "USD", -6, ("spanish",), ("S.A. de C.V.",), 4),
    Country("Brazil", "AMER", "USD", -3, ("brazilian",), ("Ltda.",), 4),
    Country("United Kingdom", "EMEA", "USD", 0, ("english", "indian", "nigerian"), ("Ltd",), 9),
    Country("Ireland", "EMEA", "EUR", 0, ("english",), ("Ltd",), 3),
    Country("Germany", "EMEA", "EUR", 1, ("german", "turkish", "polish"), ("GmbH", "AG"), 12),
    Country("France", "EMEA", "EUR", 1, ("french", "arabic"), ("SAS", "S.A."), 7),
    Country("Netherlands", "EMEA", "EUR", 1, ("nordic", "turkish"), ("B.V.",), 5),
    Country("Spain", "EMEA", "EUR", 1, ("spanish",), ("S.L.",), 4),
    Country("Finland", "EMEA", "EUR", 2, ("nordic",), ("Oy",), 3),
    Country("Poland", "EMEA", "EUR", 1, ("polish",), ("Sp. z o.o.",), 3),
    Country("Nigeria", "EMEA", "USD", 1, ("nigerian",), ("Ltd",), 2),
    Country("United Arab Emirates", "EMEA", "USD", 4, ("arabic", "indian"), ("FZE",), 2),
    Country("India", "APAC", "USD", 5.5, ("indian",), ("Pvt Ltd",), 4),
    Country("Japan", "APAC", "USD", 9, ("japanese",), ("K.K.",), 3),
    Country("Singapore", "APAC", "USD", 8, ("chinese", "indian"), ("Pte Ltd",), 3),
)

_CULTURES: dict[str, tuple[str, str]] = {
    "english": (
        "Olivia Thomas Grace Henry Amelia Jack Charlotte Daniel Ruth Samuel Nora Peter Emily Owen",
        "Harris Whitfield Baker Doyle Murphy Ellison Carter Reid Fletcher Hughes Marsh Osborne",
    ),
    "german": (
        "Anna Lukas Katrin Jürgen Sabine Felix Heike Matthias Greta Stefan Ute Jonas",
        "Schäfer Brandt Vogel Krüger Lehmann Böhm Winkler Hartmann Seidel Neumann Pohl Roth",
    ),
    "french": (
        "Camille Étienne Chloé Antoine Margaux Luc Élodie Bastien Inès Hugo Solène Mathieu",
        "Moreau Lefèvre Girard Rousseau Chevalier Gauthier Perrin Marchand Dufour Noël Blanchard",
    ),
    "spanish": (
        "Lucía Mateo Carmen Diego Sofía Javier Elena Andrés Paula Iñigo Marta Rafael",
        "García Fernández Ortega Muñoz Castillo Navarro Ríos Peña Salazar Vega Molina Ibáñez",
    ),
    "nordic": (
        "Sanne Lars Freja Mikko Ingrid Søren Aino Bram Astrid Joost Liv Anders",
        "Lindqvist Nygård de_Vries Virtanen Dahl Bakker Sørensen Korhonen van_Dijk Øster Berg",
    ),
    "polish": (
        "Agnieszka Piotr Zofia Łukasz Magdalena Tomasz Kasia Wojciech Hanna Marek Ewa Paweł",
        "Nowak Wójcik Zieliński Kamińska Mazur Król Pawlak Dąbrowska Jaworski Sikora Baran Lis",
    ),
    "turkish": (
        "Elif Emre Ayşe Kerem Zeynep Burak Defne Cem Leyla Murat Selin Ozan",
        "Yıldız Demir Kaya Şahin Aydın Arslan Koç Çelik Aksoy Polat Erdem Güneş",
    ),
    "arabic": (
        "Layla Omar Fatima Karim Noor Yusuf Hala Tariq Mariam Samir Rania Khalid",
        "Haddad Mansour Khoury Farouk Nasser Saleh Aziz Darwish Hamdan Rahman Sabbagh Qasim",
    ),
    "indian": (
        "Priya Arjun Kavya Rohan Ananya Vikram Meera Sanjay Divya Rahul Lakshmi Nikhil",
        "Iyer Sharma Nair Banerjee Kulkarni Rao Chatterjee Menon Desai Pillai Joshi Sethi",
    ),
    "chinese": (
        "Mei Wei Lihua Jun Xiaoyan Hao Yan Jian Ling Bo Qing Tao",
        "Chen Lin Zhao Huang Wu Xu Tan Goh Liu Zhang Ng Sun",
    ),
    "japanese": (
        "Yuki Haruto Aiko Kenji Sakura Ren Naomi Daichi Hana Takumi Emi Satoshi",
        "Tanaka Mori Fujita Nakamura Kobayashi Ishikawa Ogawa Shimizu Hayashi Maeda Ueda Sato",
    ),
    "nigerian": (
        "Ngozi Chinedu Amara Tunde Ifeoma Emeka Folake Segun Adaeze Kelechi Yetunde Bayo",
        "Okafor Adeyemi Eze Balogun Nwosu Ogunleye Obi Adebayo Uche Olawale Bello Chukwu",
    ),
    "brazilian": (
        "Beatriz João Larissa Thiago Camila Gustavo Fernanda Caio Luana Vinícius Júlia Renato",
        "Carvalho Oliveira Araújo Teixeira Barros Conceição Pereira Moraes Leão Freitas Rocha",
    ),
}
_PEOPLE = {
    culture: (firsts.split(), [last.replace("_", " ") for last in lasts.split()])
    for culture, (firsts, lasts) in _CULTURES.items()
}

_LATIN = str.maketrans(
    {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "ß": "ss", "ı": "i", "æ": "ae", "Æ": "ae"}
)

_TITLES = (
    "Operations Manager",
    "Logistics Coordinator",
    "Head of Supply Chain",
    "Transport Planner",
    "IT Project Lead",
    "Warehouse Supervisor",
    "Procurement Specialist",
    "Customs Officer",
    "Finance Analyst",
    "Dispatch Lead",
    "Data Analyst",
    "Shipping Clerk",
)
_SENIOR_TITLES = ("Chief Operating Officer", "VP Supply Chain", "Director of Logistics", "CFO")


@dataclass(frozen=True)
class Person:
    """A made-up person: names as written, the local part of an e-mail address, a title."""

    first_name: str
    last_name: str
    handle: str
    title: str

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


def plain(text: str) -> str:
    """Return text as lower-case ASCII letters, digits and hyphens, for addresses."""
    folded = unicodedata.normalize("NFKD", text.translate(_LATIN))
    kept = (letter if letter.isalnum() else "-" for letter in folded if ord(letter) < 128)
    return "-".join(part for part in "".join(kept).lower().split("-") if part)


def person(rng: Random, cultures: tuple[str, ...], *, senior: bool = False) -> Person:
    """Return a person of one of the cultures."""
    firsts, lasts = _PEOPLE[rng.choice(cultures)]
    first = rng.choice(firsts)
    last = rng.choice(lasts)
    title = rng.choice(_SENIOR_TITLES if senior else _TITLES)
    return Person(first, last, f"{plain(first)}.{plain(last)}", title)


def company(rng: Random, industry: str, country: Country) -> tuple[str, str]:
    """Return a company's name and its domain.

    The name is a coined word and what it does, now and then with its legal form.
    """
    name = f"{rng.choice(_STEM_STARTS)}{rng.choice(_STEM_ENDS)} {rng.choice(INDUSTRIES[industry])}"
    domain = f"{plain(name)}.example"
    return (f"{name} {rng.choice(country.legal_forms)}" if rng.random() < 0.4 else name), domain


def country(rng: Random) -> Country:
    """Return a country, by weight."""
    return rng.choices(COUNTRIES, weights=[each.weight for each in COUNTRIES])[0]
