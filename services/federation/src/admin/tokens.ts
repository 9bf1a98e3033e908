/** Under which name the module provides what the controllers use. */
export const adminToken = Symbol('FederationAdmin');
