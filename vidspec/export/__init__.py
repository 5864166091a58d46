"""The hand-off to the edit: a timeline for a program that cuts, or the cut itself.

From the ground up: `edit` are shots at their places, `links` and `library` are what the formats are written with,
`drafts` knows which drafts are old, and `gather` finds out what there is to be cut; `otio` (with `relink`), `edl`,
`fcpxml` and `cut` are the formats, and `outlet` is where they go.
"""
