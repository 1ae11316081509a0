"""A bar chart as SVG: time of each candidate in units of the yardstick, shorter is better."""


def bars(title, rows):
    """`rows`: (name, value, text).  The scale is linear and cut where one bar is far longer than the rest."""
    longest = sorted(value for _, value, _ in rows)[-1]
    cut = min(longest, 4 * sorted(value for _, value, _ in rows)[len(rows) // 2])
    height = 34 + 26 * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" font-family="sans-serif" font-size="13">',
           f'<rect width="760" height="{height}" fill="#ffffff"/>', f'<text x="10" y="20" font-weight="bold">{title}</text>']
    for i, (name, value, text) in enumerate(rows):
        y, width = 32 + 26 * i, max(2, 440 * min(value, cut) / cut)
        colour = "#1f6f54" if name.startswith("logvault") else "#9aa5b1"
        out.append(f'<text x="150" y="{y + 14}" text-anchor="end">{name}</text>')
        out.append(f'<rect x="158" y="{y}" width="{width:.0f}" height="18" fill="{colour}"/>')
        out.append(f'<text x="{164 + width:.0f}" y="{y + 14}">{text}{" (bar cut)" if value > cut else ""}</text>')
    return "\n".join([*out, "</svg>", ""])
