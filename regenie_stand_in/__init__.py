"""A stand-in for regenie 4.1.2, in numpy, for machines that have neither regenie nor Docker.

`python -m regenie_stand_in <regenie's arguments>` accepts regenie's command lines for quantitative traits on bed
files and prints the same numbers. The method was measured on regenie v4.1.2, to the last printed digit where everybody
genotyped is analysed; where some are left out, statistics differ in the fifth digit. What the stand-in cannot do it
refuses, because a result that only looks like regenie's is worse than none.
"""
