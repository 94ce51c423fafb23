"""What to call a composed piece: ``Slow bossa nova in D, 96 BPM``."""

import re

from csn.corpora.grooves import GrooveFile
from csn.corpora.harmony import Key

_WORDS = {
    "bossanova": "bossa nova", "bossa": "bossa nova", "kbossa": "bossa nova", "rb": "R and B",
    "chacha": "cha-cha", "boggiewoggie": "boogie-woogie", "shuffleboggie": "shuffle boogie",
    "hiphop": "hip-hop", "dsoul": "soul", "bwmarch": "brass march", "lfusion": "Latin fusion",
    "evansish": "quiet jazz", "boneym": "disco", "bvfunk": "funk",
    "vienesewaltz": "Viennese waltz", "thr": "thrash", "trip": "trip-hop", "triphop": "trip-hop",
    "bald": "ballad", "twi": "twist", "cntry": "country", "modernrb": "modern R and B",
    "rb-ballad": "R and B ballad", "afro": "Afro groove", "teamtechno": "techno",
    "frenchwaltz": "French waltz", "jazzgrtrio": "jazz trio", "jazzbasie": "big-band swing",
    "son": "son cubano", "jive": "jive", "afro-cuban": "Afro-Cuban", "quando-g.s": "Latin pop",
    "w-rock": "western rock", "fnk": "funk", "kwestballad": "western ballad", "beatp": "two-beat",
    "ska": "ska", "latinfusion": "Latin fusion", "rhumba": "rumba", "dance": "dance groove",
    "hevy": "heavy rock", "mtl": "metal", "fus": "fusion", "hrk": "hard rock",
    "mide": "Middle Eastern groove", "dnb": "drum and bass", "digitalrock": "digital rock",
    "folkyjazz": "folky jazz", "2beatp": "two-beat", "80spop": "eighties pop",
    "k50s_rock": "fifties rock", "kfunk": "funk", "middlebigband": "medium big band",
    "oldieballad": "oldie ballad", "polkafox": "polka foxtrot", "mellowrb": "mellow R and B",
    "arpeggiowaltz": "arpeggio waltz", "r+b": "R and B", "rnb": "R and B",
    "bluegrass": "bluegrass", "quickstep": "quickstep", "highfive": "pop groove",
    "slow16beat": "slow sixteen-beat", "jazz-54": "five-four jazz", "lattin": "Latin groove",
    "latin": "Latin groove", "rock": "rock", "jazz": "jazz",
}  # fmt: skip
_PIECES = (
    "broadway", "spiritual", "country", "western", "ballad", "shuffle", "swing", "waltz", "blues",
    "modern", "guitar", "mellow", "string", "piano", "basic", "light", "march", "combo", "bounce",
    "bouncy", "bolero", "jazz", "rock", "slow", "fast", "easy", "soft", "folk", "blue", "grass",
    "beat", "pop", "tango", "latin", "dixie", "bubble", "samba", "salsa", "twist", "trio", "happy",
    "motown", "funk", "soul", "dance", "gypsy", "night", "nite", "show", "tune", "world", "techno",
    "trance", "house", "reggae", "metal", "big", "band", "hill", "step", "quick", "shoe", "german",
    "euro", "disco", "cuban", "descending", "lullaby", "team", "hard", "heavy", "ambient",
    "acoustic", "electric", "new", "age", "power", "rhumba", "deep", "drum", "bass", "hip", "hop",
)  # fmt: skip


def spoken(file: GrooveFile) -> str:
    """A groove file's name as a person would say it: ``stdlib/basicrock`` is ``basic rock``."""
    stem = file.path.stem.lower()
    bare = re.sub(r"[\d_]+$", "", stem) or stem
    if bare in _WORDS:
        return _WORDS[bare]
    count = re.match(r"^(\d+)(.*)$", bare)
    lead, rest = (count.group(1), count.group(2)) if count else ("", bare)
    years = {"50": "fifties", "60": "sixties", "68": "six-eight", "8": "eight", "16": "sixteen"}
    words = []
    if lead:
        words.append(years.get(lead, lead))
        rest = rest[1:] if lead in ("50", "60") and rest.startswith("s") else rest
    if rest in _WORDS:
        return " ".join([*words, _WORDS[rest]])
    rest = re.sub(r"[-_.]", " ", rest)
    while rest:
        piece = next((p for p in sorted(_PIECES, key=len, reverse=True) if rest.startswith(p)), "")
        if not piece:
            words.append(rest.strip())
            break
        words.append({"nite": "night"}.get(piece, piece))
        rest = rest[len(piece) :].strip()
    said = " ".join(word for word in words if word)
    return said.replace("sixteen beat", "sixteen-beat").replace("eight beat", "eight-beat")


def adjective(tempo: float) -> str:
    """The word for a tempo in quarter notes per minute."""
    limits = ((76, "Slow"), (98, "Relaxed"), (122, "Easy-going"), (144, "Lively"), (168, "Brisk"))
    return next((word for limit, word in limits if tempo < limit), "Fast")


def title(file: GrooveFile, key: Key, tempo: int) -> str:
    """A title that a person can say, of groove, key and tempo (quarter notes per minute)."""
    noun = spoken(file)
    first = noun.split()[0].lower()
    word = "" if first in ("slow", "fast", "easy", "light", "quick") else adjective(tempo) + " "
    said = f"{word}{noun} in {key}, {tempo} BPM"
    return said[0].upper() + said[1:]
