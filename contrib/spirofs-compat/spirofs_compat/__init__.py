"""Runs SpiroFS 0.3 in Salt 3005 to 3008, and hardens it.

Salt finds the directories engines, fileserver and runner by the entry points in
loader.py. Each module in them runs the published one of the same name in its own
namespace (published.py), and then puts hardened parts in the place of some. Neither
Salt nor the installed SpiroFS is changed.
"""
