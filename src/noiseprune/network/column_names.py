"""What people call the columns of an edge list."""

from __future__ import annotations

import re

ALIASES = {
    "pre": (
        *(
            "pre",
            "source",
            "origin",
            "from",
            "src",
            "sender",
            "presynaptic",
            "presyn",
            "neuron1",
            "node1",
            "cell1",
            "region1",
        ),
        *(
            "preptrootid",
            "prerootid",
            "bodyidpre",
            "bodypre",
            "presynapticid",
            "preid",
            "sourceid",
            "preneuron",
            "precell",
        ),
        *("fromid", "prename", "presynapticneuron", "sourceneuron", "fromneuron", "sourcenode", "area1", "roi1"),
    ),
    "post": (
        *("post", "target", "to", "dst", "dest", "destination", "receiver", "postsynaptic", "postsyn"),
        *("neuron2", "node2", "cell2", "region2", "area2", "roi2"),
        *("postptrootid", "postrootid", "bodyidpost", "bodypost", "postsynapticid", "postid", "targetid", "postneuron"),
        *("postcell", "toid", "postname", "postsynapticneuron", "targetneuron", "toneuron", "targetnode"),
    ),
    "weight": ("weight", "count", "n", "numberofconnections", "syncount", "synapsecount", "nsynapses", "connectivity"),
    "transmitter": ("transmitter", "neurotransmitter", "nttype", "topnt", "predictednt"),
}


# what a weight is called too, where no column has one of the names above
WEIGHTS = (
    *("w", "weights", "value", "values", "val", "strength", "strengths", "edgeweight", "synweight", "connectionweight"),
    *(
        "synapticweight",
        "weightrelative",
        "relativeweight",
        "weighthp",
        "totalweight",
        "meanweight",
        "normalizedweight",
    ),
    *(
        "synapses",
        "nsyn",
        "nsyns",
        "nosynapses",
        "numsynapses",
        "numsyn",
        "numsyns",
        "numbersynapses",
        "numberofsynapses",
    ),
    *("totalsynapses", "synapsenumber", "synapsescount", "nbr", "nbrsynapses", "sections", "contacts", "ncontacts"),
    *("numcontacts", "numberofcontacts", "counts", "num", "number", "connections", "nconnections", "numconnections"),
    *("edgecount", "edgestrength", "connectionstrength", "conductance", "efficacy", "tot", "total", "fln", "flne"),
    *("streamlines", "nstreamlines", "streamlinecount", "fibers", "fibercount", "correlation"),
)


def column_role(name: str) -> str | None:
    """Say what a column of this name holds."""
    bare = plain(name)
    return next((role for role, aliases in ALIASES.items() if bare in aliases), "weight" if bare in WEIGHTS else None)


def plain(name: str) -> str:
    """Return the name of a column without letter case, blanks and marks between words."""
    return re.sub(r"[\s_.\-#]+", "", name.lower()) or name
