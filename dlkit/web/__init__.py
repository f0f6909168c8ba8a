"""The terminal interface in a browser on this machine.

``command`` is ``dlkit web``; ``server`` the routes; ``guard`` says who may ask; ``session`` is one tab's app process,
``driver`` what that process speaks to it with; ``static/`` is the page. Who may ask can start jobs, so who may ask is
the person who was shown the address, through pages of this server, and nobody else.
"""
