%% erlang_load.erl: modules that are made as it runs. See erlang.bash.
-module(erlang_load).
-export([main/0]).

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).

%% A module of its own for each K, so that there is always something to compile.
made(K) ->
	Name = list_to_atom("made_" ++ integer_to_list(K)),
	Forms = [{attribute, 1, module, Name}, {attribute, 1, export, [{sum, 1}]},
		form("sum(0) -> " ++ integer_to_list(K) ++ "; "
			"sum(N) -> (sum(N - 1) * 31 + N) rem 1000003.")],
	{ok, Name, Code} = compile:forms(Forms),
	{module, Name} = code:load_binary(Name, "", Code),
	Sum = Name:sum(20000),
	false = code:purge(Name),
	true = code:delete(Name),
	Sum.

form(Text) ->
	{ok, Tokens, _} = erl_scan:string(Text),
	{ok, Form} = erl_parse:parse_form(Tokens),
	Form.

main() ->
	io:format("~p~n~p~n", [fib(24), [made(K) || K <- lists:seq(1, 30)]]),
	Parent = self(),
	Ks = lists:seq(101, 130),
	[spawn(fun() -> Parent ! {K, made(K)} end) || K <- Ks],
	io:format("~p~n", [[receive {K, Sum} -> Sum end || K <- Ks]]),
	Compiled = case erlang:system_info(emu_flavor) of jit -> yes; _ -> no end,
	io:format("compiled: ~p~n", [Compiled]).
