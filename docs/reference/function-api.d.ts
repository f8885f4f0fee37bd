/**
 * What a function is given, for editors and for `deno check`. Put these two lines on top of a source:
 *
 *     // @ts-check
 *     /// <reference path="./function-api.d.ts" />
 *
 * and name the scene before the function:
 *
 *     /** @type {Authpipe.Pipe<"PRE_REGISTER">} *\/
 *     const pipe = async (user, context, callback) => callback(null, user, context);
 *
 * The rules behind the types are in contract.md; the sections are named here.
 */

declare namespace Authpipe {
  /** A point of the identity flow (1.1). */
  type Scene =
    | "PRE_REGISTER"
    | "POST_REGISTER"
    | "PRE_AUTHENTICATION"
    | "POST_AUTHENTICATION"
    | "PRE_OIDC_ID_TOKEN_ISSUED"
    | "PRE_OIDC_ACCESS_TOKEN_ISSUED"
    | "PRE_COMPLETE_USER_INFO"
    | "PRE_MFA_VERIFY"
    | "POST_MFA_VERIFY";

  /** What passes from one function to the next (2.7). */
  type Json = string | number | boolean | null | undefined | Json[] | { [key: string]: Json };
  type JsonObject = { [key: string]: Json };

  /** What may be written where a scene takes profile changes back (3.4). `undefined` leaves, `null` clears. */
  interface Profile {
    nickname?: string | null;
    /** URL of a picture. */
    photo?: string | null;
    company?: string | null;
    name?: string | null;
    givenName?: string | null;
    familyName?: string | null;
    middleName?: string | null;
    profile?: string | null;
    preferredUsername?: string | null;
    website?: string | null;
    /** `M`, `F` or `U`. */
    gender?: string | null;
    birthdate?: string | null;
    zoneinfo?: string | null;
    locale?: string | null;
    address?: string | null;
    formatted?: string | null;
    streetAddress?: string | null;
    locality?: string | null;
    region?: string | null;
    postalCode?: string | null;
    city?: string | null;
    province?: string | null;
    country?: string | null;
    device?: string | null;
    browser?: string | null;
    /** The user may not log in. */
    blocked?: boolean | null;
  }

  /** What may be seeded while the record is being made or completed (3.4). A seeded address is unverified. */
  interface Identifiers {
    email?: string | null;
    phone?: string | null;
    phoneCountryCode?: string | null;
    username?: string | null;
  }

  /** What stays as it is, whatever a function writes (3.4). Times are ISO 8601 with milliseconds and `Z`. */
  interface ReadOnly {
    /** The user pool; `registerInClient` is its name of 2020. */
    readonly userPoolId?: string;
    readonly registerInClient?: string;
    readonly arn?: string | null;
    readonly status?: string | null;
    readonly registerSource?: string[];
    readonly registerMethod?: string | null;
    readonly token?: string | null;
    readonly tokenExpiredAt?: string | null;
    readonly createdAt?: string | null;
    readonly updatedAt?: string | null;
    readonly signedUp?: string | null;
    readonly loginsCount?: number | null;
    readonly lastLogin?: string | null;
    readonly lastIP?: string | null;
    readonly identities?: JsonObject[];
    readonly roles?: Json[];
    readonly oauth?: string | null;
    readonly unionid?: string | null;
    readonly openid?: string | null;
    readonly externalId?: string | null;
    readonly isDeleted?: boolean | null;
    readonly emailVerified?: boolean | null;
    readonly phoneVerified?: boolean | null;
  }

  /** Plain objects that methods write to; writing to them directly is the same (3.2). */
  interface Accumulators {
    /** Stored with the user and part of the answer. */
    customData: JsonObject;
    /** Part of this answer only. */
    customDataOnce: JsonObject;
    idToken: JsonObject;
    customAccessTokenClaims: JsonObject;
    decryptedToken: JsonObject;
  }

  interface CustomDataMethods {
    /** Stores `value` under `key` in the user's custom data (3.3). */
    addCustomData(key: string, value: Json): this;
  }

  interface AnswerMethods {
    /** Shows `value` in this answer only (3.3). */
    addMetaData(key: string, value: Json): this;
    /** @deprecated `addCustomData`. A value of more than 1,000 characters is dropped. */
    addMetaDataAndPersist(key: string, value: Json): this;
  }

  interface IdTokenMethods {
    /** Adds or replaces a claim of the ID token (3.5). */
    addIdToken(claim: string, value: Json): this;
    /** Removes a claim, an original one too. */
    removeIdToken(claim: string, ignored?: unknown): this;
    /** @deprecated `addIdToken`. */
    setIdTokenField(claim: string, value: Json): this;
  }

  interface AccessTokenMethods {
    /** Adds or replaces a claim of the access token (3.5). */
    addAccessToken(claim: string, value: Json): this;
    /** Removes a claim, an original one too. */
    removeAccessToken(claim: string, ignored?: unknown): this;
  }

  interface LoginTokenMethods {
    /** @deprecated Adds a claim to `data` of the login token. */
    addToken(claim: string, value: Json): this;
    /** @deprecated `addToken`. */
    setTokenField(claim: string, value: Json): this;
    /** @deprecated Removes a claim from `data` of the login token. */
    removeTokenField(claim: string): this;
  }

  /** What is registered: no record, so no id (1.2). */
  type NewUser = Profile & Identifiers & ReadOnly & Accumulators & CustomDataMethods & {
    readonly id?: undefined;
    readonly _id?: undefined;
  };

  interface RecordId {
    readonly id: string;
    /** The same value as `id`. */
    readonly _id: string;
  }

  /** A stored user where changes are taken back. */
  type StoredUser = Profile & Readonly<Identifiers> & ReadOnly & RecordId & Accumulators & CustomDataMethods;

  /** A stored user overlaid with what was submitted. */
  type CompletedUser = Profile & Identifiers & ReadOnly & RecordId & Accumulators & CustomDataMethods;

  /** A stored user where changes are not taken back. */
  type ShownUser = Readonly<Profile> & Readonly<Identifiers> & ReadOnly & RecordId & Accumulators;

  /** Who an access token is for: a person, or a program without any identity field (1.2). */
  type TokenUser =
    & Readonly<Profile>
    & Readonly<Identifiers>
    & ReadOnly
    & Partial<RecordId>
    & Accumulators
    & AccessTokenMethods;

  /** Scene → the `user` its functions are given. */
  interface Users {
    PRE_REGISTER: NewUser;
    POST_REGISTER: StoredUser & AnswerMethods;
    PRE_AUTHENTICATION: StoredUser;
    POST_AUTHENTICATION: StoredUser & AnswerMethods & LoginTokenMethods;
    PRE_OIDC_ID_TOKEN_ISSUED: ShownUser & IdTokenMethods;
    PRE_OIDC_ACCESS_TOKEN_ISSUED: TokenUser;
    PRE_COMPLETE_USER_INFO: CompletedUser;
    PRE_MFA_VERIFY: ShownUser;
    POST_MFA_VERIFY: ShownUser;
  }

  type User<S extends Scene = Scene> = Users[S];

  /** Where the client is, in both dialects; `{}` when unknown (4.3). */
  interface Geo {
    country?: string;
    province?: string;
    city?: string;
    adcode?: string;
    rectangle?: string;
    address?: string;
    address_detail?: {
      province?: string;
      city?: string;
      city_code?: string;
      district?: string;
      street?: string;
      street_number?: string;
    };
    point?: { x?: string; y?: string };
  }

  /**
   * The normalised request body (4.4): `email`, `phone` and `username` are what the request really uses, or absent.
   * Everything else is as the client sent it, so any type.
   */
  interface Body {
    readonly email?: string;
    readonly phone?: string;
    readonly username?: string;
    // deno-lint-ignore no-explicit-any
    readonly [name: string]: any;
  }

  interface Request {
    readonly ip: string | null;
    readonly geo: Geo;
    readonly body: Body;
    readonly query: { readonly [name: string]: Json };
    readonly headers: { readonly [name: string]: string };
  }

  interface Application {
    readonly id?: string | null;
    readonly name?: string | null;
    readonly [name: string]: Json;
  }

  /** What is known of the request (4). Further keys are the host's and, not to be trusted, the client's (4.5). */
  interface Context {
    /** `password`, `sms`, `social`, `ldap`, `saml`, `oidc`. */
    readonly protocol: string | null;
    /** `authing`, `ldap`, `saml`, `oidc` or a social provider. */
    readonly connection: string | null;
    readonly userPoolId: string;
    readonly userPoolName: string;
    readonly userPoolMetadata: {
      readonly id: string;
      readonly name: string;
      readonly logo: string | null;
      readonly domain: string | null;
      readonly description: string | null;
      readonly ownerId: string | null;
    };
    readonly appId: string | null;
    readonly appName: string | null;
    readonly appMetadata: Application;
    readonly application: Application;
    readonly request: Request;
    /** @deprecated `request.ip` */
    readonly ip: string | null;
    /** @deprecated `request.geo` */
    readonly geo: Geo;
    /** @deprecated `request.headers` */
    readonly headers: Request["headers"];
    /** @deprecated `request.body` */
    readonly data: Body & { readonly userInfo: Body; readonly profile: JsonObject; readonly forceLogin: boolean };
    /** @deprecated `userPoolMetadata` */
    readonly userPool: {
      readonly id: string;
      readonly _id: string;
      readonly name: string;
      readonly logo: string | null;
      readonly registerDisabled: boolean;
    };
    /** Whom an access token is for; only in `PRE_OIDC_ACCESS_TOKEN_ISSUED`. */
    readonly accessTokenTarget?: "user" | "programmaticAccount";
    // deno-lint-ignore no-explicit-any
    [name: string]: any;
  }

  /** Ends the function; to be called once (2.3). */
  interface Callback<U> {
    /** The flow ends; the end user reads the message. */
    (error: Error | string | { message: string }): void;
    /** The flow goes on with these. */
    (error: null | undefined, user: U | null | undefined, context: Context): void;
    /** The flow goes on; the lone value is recognised as user or context (2.3). */
    (error: null | undefined, userOrContext: U | Context): void;
    /** The flow goes on with both as they are now. */
    (error?: null): void;
  }

  /** The function to write: `async function pipe(user, context, callback)`. What it returns does not matter. */
  // deno-lint-ignore no-explicit-any
  type Pipe<S extends Scene = Scene> = (user: User<S>, context: Context, callback: Callback<User<S>>) => Promise<any>;

  /** The same without `async`. */
  // deno-lint-ignore no-explicit-any
  type PlainPipe<S extends Scene = Scene> = (user: User<S>, context: Context, callback: Callback<User<S>>) => any;

  /** The form with two parameters, in any scene (2.2). */
  // deno-lint-ignore no-explicit-any
  type ContextPipe = (context: Context, callback: Callback<Context>) => Promise<any>;

  /** The same without `async`. */
  // deno-lint-ignore no-explicit-any
  type PlainContextPipe = (context: Context, callback: Callback<Context>) => any;

  /** Answer of `axios`. */
  interface HttpAnswer<T> {
    data: T;
    status: number;
    statusText: string;
    headers: { [name: string]: string };
    config: HttpOptions;
  }

  interface HttpOptions {
    url?: string;
    method?: string;
    baseURL?: string;
    headers?: { [name: string]: string };
    params?: object;
    data?: unknown;
    /** Milliseconds. */
    timeout?: number;
    responseType?: "json" | "text" | "arraybuffer";
    validateStatus?: ((status: number) => boolean) | null;
    // deno-lint-ignore no-explicit-any
    [name: string]: any;
  }

  // deno-lint-ignore no-explicit-any
  interface Axios<T = any> {
    (options: HttpOptions): Promise<HttpAnswer<T>>;
    (url: string, options?: HttpOptions): Promise<HttpAnswer<T>>;
    request(options: HttpOptions): Promise<HttpAnswer<T>>;
    get(url: string, options?: HttpOptions): Promise<HttpAnswer<T>>;
    delete(url: string, options?: HttpOptions): Promise<HttpAnswer<T>>;
    head(url: string, options?: HttpOptions): Promise<HttpAnswer<T>>;
    post(url: string, data?: unknown, options?: HttpOptions): Promise<HttpAnswer<T>>;
    put(url: string, data?: unknown, options?: HttpOptions): Promise<HttpAnswer<T>>;
    patch(url: string, data?: unknown, options?: HttpOptions): Promise<HttpAnswer<T>>;
    create(defaults?: HttpOptions): Axios;
    isAxiosError(error: unknown): boolean;
  }

  interface Done {
    code: number;
    message: string;
  }

  interface Page<T> {
    totalCount: number;
    list: T[];
  }

  interface OrganisationNode {
    id: string;
    type: string;
    [name: string]: Json;
  }

  // deno-lint-ignore no-explicit-any
  type Call = (...args: any[]) => Promise<any>;

  /** Users, groups, roles and organisations of the function's own user pool (5.1). */
  interface Authing {
    users: {
      /** One path for each membership, from the organisation down to the department. */
      listOrgs(userId: string): Promise<OrganisationNode[][] & Page<OrganisationNode[]>>;
      detail(userId: string, options?: JsonObject): Promise<JsonObject>;
      find(by: { email?: string; phone?: string; username?: string; externalId?: string }): Promise<JsonObject | null>;
      update(userId: string, changes: Profile & JsonObject): Promise<JsonObject>;
      listGroups(userId: string): Promise<Page<JsonObject>>;
      addGroup(userId: string, code: string): Promise<Done>;
      listRoles(userId: string, namespace?: string): Promise<Page<JsonObject>>;
      addRoles(userId: string, codes: string[], namespace?: string): Promise<Done>;
      removeRoles(userId: string, codes: string[], namespace?: string): Promise<Done>;
      [method: string]: Call;
    };
    groups: {
      addUsers(code: string, userIds: string[]): Promise<Done>;
      removeUsers(code: string, userIds: string[]): Promise<Done>;
      [method: string]: Call;
    };
    roles: {
      addUsers(code: string, userIds: string[], namespace?: string): Promise<Done>;
      removeUsers(code: string, userIds: string[], namespace?: string): Promise<Done>;
      [method: string]: Call;
    };
    /** @deprecated The spelling of 2020. */
    authz: {
      addUserToGroup(ids: { userId: string; groupId: string }, options?: { fetchUsers?: boolean }): Promise<Done>;
      [method: string]: Call;
    };
    // deno-lint-ignore no-explicit-any
    [groupOrMethod: string]: any;
  }

  /** `require('./utils')` */
  interface Utils {
    /**
     * Whether `ip` lies in `range`: `[first, last]`, both included, or CIDR notation, or a list of these.
     * IPv4, IPv6 and IPv4-mapped addresses; false for what is no address.
     */
    ipRangeCheck(ip: string | null | undefined, range: string | readonly (string | readonly string[])[]): boolean;
  }

  /** Finds built-in modules of Node, `lodash`, `axios` and `./utils`; throws for others (5). */
  interface Require {
    (id: "./utils" | "utils"): Utils;
    (id: "axios"): Axios;
    // deno-lint-ignore no-explicit-any
    (id: string): any;
  }
}

/** The user pool's environment: variables and secrets by name (5). */
declare const env: { readonly [name: string]: string };

/** Writes one entry to the run's log (5). Secrets of the user pool are redacted. */
declare function log(...values: unknown[]): void;

/** HTTP client; refused until the server allows outbound requests (5). */
declare const axios: Authpipe.Axios;

/** The management client of the user pool, ready for use (5.1). */
declare const authing: Authpipe.Authing;

/** Built-in modules of Node, `lodash`, `axios` and `./utils` (5). */
// deno-lint-ignore no-var
declare var require: Authpipe.Require;
