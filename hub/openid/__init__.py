"""Single sign-on by OpenID Connect: the code flow with PKCE, and what its claims say of who somebody is and what they may."""
