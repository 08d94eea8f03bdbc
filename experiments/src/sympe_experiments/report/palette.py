"""Colors of figures, readable by those who confuse red and green."""

INK, SOFT, FAINT = "#24292f", "#6e7781", "#d8dee4"

# M. Okabe, K. Ito, *Color universal design*, 2008, with gray for their black and a darker yellow; then darker ones of
# P. Tol, *Colour schemes*, 2021.
BLUE, ORANGE, GREEN, VERMILION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
PURPLE, SKY, GRAY, YELLOW = "#cc79a7", "#56b4e9", "#6e7781", "#b8a800"
INDIGO, TEAL, WINE, BROWN = "#332288", "#44aa99", "#882255", "#7f4a1e"
