"""Shell completion: what may be typed (``declared``), kept between keys (``kept``), what fits (``answer``), the scripts
of shells (``scripts``)."""
