"""How names are flagged, and the other forms in which texts write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

SCOPES = ("preferred", "exact", "related", "broad", "narrow")
SYMBOL, WORD, SOLID, INVERTED, ADJECTIVE, LEARNED = (1 << bit for bit in range(5, 11))
NOTES, OPEN, SWAPPED, REWORDED, SHARED, DIRECT = (1 << bit for bit in range(11, 17))
"""Flags beside the scopes (bits 0-4). SYMBOL: written as a symbol; WORD: written as words; SOLID:
without space; INVERTED: made from `B, A`; ADJECTIVE: made from a noun; LEARNED: from a training
corpus; NOTES: clinical shorthand; OPEN: a name in the literature too;
SWAPPED: made by another head noun of like meaning (renal disease, renal damage);
REWORDED: made by naming the organ otherwise, or what is wrong with it (impaired renal function);
SHARED: found in a text that writes its last words once for several names (see `coordination`);
DIRECT: a name as a source gives it, made from no other."""

_ADJECTIVES: Final = (
    ("emia", "emic"), ("osis", "otic"), ("tension", "tensive"), ("itis", "itic"),
    ("plegia", "plegic"), ("trophy", "trophic"), ("lepsy", "leptic"), ("algia", "algic"),
    ("uria", "uric"), ("diabetes", "diabetic"), ("toxicity", "toxic"), ("ythmia", "ythmic"),
    ("phrenia", "phrenic"), ("plasia", "plastic"), ("ensia", "ensic"), ("exia", "exic"),
    ("obesity", "obese"), ("mentia", "mented"), ("pression", "pressive"), ("anoia", "anoid"),
    ("stasis", "static"), ("lysis", "lytic"), ("asthma", "asthmatic"), ("mania", "manic"),
    ("hypoxia", "hypoxic"), ("sepsis", "septic"), ("pathy", "pathic"), ("kinesia", "kinetic"),
    ("phobia", "phobic"), ("edema", "edematous"), ("noma", "nomatous"), ("autism", "autistic"),
    ("parkinsonism", "parkinsonian"), ("alcoholism", "alcoholic"), ("stupor", "stuporous"),
    ("delirium", "delirious"), ("pruritus", "pruritic"), ("coma", "comatose"),
    ("anxiety", "anxious"), ("penia", "penic"), ("amnesia", "amnesic"), ("apnea", "apneic"),
    ("ataxia", "ataxic"), ("tetany", "tetanic"), ("clumsiness", "clumsy"), ("pyrexia", "febrile"),
)  # fmt: skip

_DISORDERS: Final = (
    "disease", "disorder", "dysfunction", "impairment", "abnormality", "damage", "injury",
    "toxicity", "disturbance", "complication", "defect", "deficit", "lesion", "problem",
)  # fmt: skip
_TUMORS: Final = ("neoplasm", "tumor", "cancer", "carcinoma", "malignancy")
_FAILURES: Final = ("failure", "insufficiency")
_LIKE_HEADS: Final = {head: heads for heads in (_DISORDERS, _TUMORS, _FAILURES) for head in heads}

_ORGANS: Final = (
    ("liver", "hepatic"), ("kidney", "renal"), ("heart", "cardiac", "myocardial"),
    ("lung", "pulmonary"), ("brain", "cerebral"), ("stomach", "gastric"),
    ("eye", "ocular", "ophthalmic"), ("skin", "cutaneous", "dermatologic"),
    ("bowel", "intestinal", "intestine"), ("esophagus", "esophageal"), ("ovary", "ovarian"),
    ("breast", "mammary"), ("uterus", "uterine"), ("prostate", "prostatic"), ("mouth", "oral"),
    ("bladder", "urinary bladder", "vesical"), ("muscle", "muscular"), ("tooth", "dental"),
    ("nose", "nasal"), ("vision", "visual"), ("hearing", "auditory"), ("movement", "motor"),
    ("blood", "hematologic", "hematological"), ("testis", "testicular"),
    ("pancreas", "pancreatic"), ("colon", "colonic"), ("cornea", "corneal"),
    ("retina", "retinal"), ("vein", "venous"), ("artery", "arterial"), ("joint", "articular"),
    ("larynx", "laryngeal"), ("nerve", "neural"), ("bone", "skeletal", "osseous"),
    ("nervous system", "neurologic", "neurological"), ("cognition", "cognitive"),
    ("vessel", "vascular"), ("mental", "psychiatric"), ("thyroid", "thyroid gland"),
    ("spinal cord", "spinal"), ("gastrointestinal", "digestive system", "digestive"),
    ("vestibule", "vestibular"), ("behavior", "behavioral", "behavioural"), ("ventricle",
    "ventricular"), ("consciousness", "conscious"), ("memory", "mnestic"),
)  # fmt: skip
_SAME_ORGAN: Final = {name: names for names in _ORGANS for name in names}
_FUNCTIONS: Final = (
    "impaired {} function", "impairment of {} function", "{} function impairment",
    "abnormal {} function", "altered {} function", "deterioration of {} function",
    "disturbance of {} function", "impaired {}", "loss of {} function", "reduced {} function",
)  # fmt: skip
_MOST_SWAPPED: Final = 4


def _swapped(text: str) -> Iterator[str]:
    """The name with other head nouns, where it ends in one that has others of like meaning."""
    first, _, last = text.lower().rpartition(" ")
    head = last.removesuffix("s")
    if first and "," not in text and first.count(" ") < _MOST_SWAPPED - 1:
        for other in _LIKE_HEADS.get(head, ()):
            if other != head:
                yield f"{first} {other}"


def _reworded(text: str) -> Iterator[str]:
    """The name of what ails an organ, said otherwise: liver injury, injury of the liver."""
    first, _, last = text.lower().rpartition(" ")
    head = last.removesuffix("s")
    if not first or "," in text or first.count(" ") > 2:
        return
    organs = _SAME_ORGAN.get(first, ())
    heads = _LIKE_HEADS.get(head, (head,))
    for organ in organs:
        for other in heads:
            if organ != first:
                yield f"{organ} {other}"
            yield f"{other} of {organ}"
            yield f"{other} of the {organ}"
    if head in _DISORDERS:
        for organ in organs or (first,):
            for pattern in _FUNCTIONS:
                yield pattern.format(organ)


def variants(text: str, *, disease: bool = False) -> Iterator[tuple[str, int]]:
    """Other ways to write a name, with the flag that tells how each was made.

    >>> list(variants("Diabetes Mellitus, Type 2")) == [("Type 2 Diabetes Mellitus", INVERTED)]
    True
    >>> ("impaired renal function", REWORDED) in list(variants("Kidney Diseases", disease=True))
    True
    """
    parts = text.split(", ")
    if 2 <= len(parts) <= 3 and "(" not in text and "[" not in text:
        yield " ".join(reversed(parts)), INVERTED
    for form in _swapped(text):
        yield form, SWAPPED
    if disease:
        for form in _reworded(text):
            yield form, REWORDED
    if text.isalpha() and len(text) > 5:
        word = text.lower()
        for noun, adjective in _ADJECTIVES:
            if word.endswith(noun):
                yield word.removesuffix(noun) + adjective, ADJECTIVE


def written_form(text: str) -> int:
    """SYMBOL or WORD, and SOLID: how a name is written (HNF-6, BRCA1 against Epilepsy)."""
    solid = 0 if " " in text else SOLID
    upper = sum(map(str.isupper, text))
    symbol = solid and upper and (upper > 1 or not text[0].isupper())
    if symbol and not (len(text) > 6 and text.isalpha() and upper == len(text)):
        return SYMBOL | solid
    return WORD | solid
