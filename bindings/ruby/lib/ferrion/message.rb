# frozen_string_literal: true

module Ferrion
  # A message with all its sections. Can be used again and again, for sending and for receiving.
  #
  # Every field can be given by name:
  #
  #   Ferrion::Message.new("Hello World!", address: "127.0.0.1/queue", durable: true)
  class Message
    # Stands for a section that was received and not looked at yet.
    UNREAD = Object.new.freeze
    private_constant :UNREAD

    # Annotations as they go out: keys that are strings become the symbols that AMQP wants there.
    def self.with_symbols(annotations) # :nodoc:
      Map.new(annotations.map { |key, value| [key.is_a?(String) ? key.to_sym : key, value] })
    end

    # A field of the header or of the properties section, nil if absent.
    def self.field(name, number, &wrap)
      define_method(name) { Abi.ferrion_message_get(@abi, number)&.first }
      define_method(:"#{name}=") do |value|
        value = wrap.call(value) if wrap && !value.nil?
        Abi.ferrion_message_set(@abi, number, value)
      end
    end

    # Whether this is what data sections are made of.
    def self.data?(body) # :nodoc:
      body.is_a?(String) && body.encoding == Encoding::BINARY
    end

    # Whether this is what sequence sections are made of.
    def self.sequence?(body) # :nodoc:
      body.is_a?(Array) && !body.is_a?(Map)
    end

    # A section that is a map; nil if there is none, and empty if it is there and empty. The Hash is the message's own: changes to
    # it go out with the message.
    def self.section(name, number)
      variable = :"@#{name}"
      define_method(name) do
        value = instance_variable_get(variable)
        next value unless UNREAD.equal?(value)

        instance_variable_set(variable, Abi.ferrion_message_section(@abi, number)&.first)
      end
      define_method(:"#{name}=") { |value| instance_variable_set(variable, value) }
    end
    private_class_method :field, :section

    def initialize(body = nil, **fields)
      @abi = Abi.ferrion_message_new or raise NoMemoryError
      forget
      self.body = body
      fields.each do |name, value|
        raise ArgumentError, "a Ferrion::Message has no field #{name.inspect}" unless respond_to?(:"#{name}=")

        public_send(:"#{name}=", value)
      end
    end

    # ---- header ----

    # Whether the message must survive a crash of the node it is on.
    def durable
      Abi.ferrion_message_durable(@abi)
    end
    alias durable? durable

    def durable=(durable)
      Abi.ferrion_message_set_durable(@abi, durable ? true : false)
    end

    # The priority, 4 unless set.
    def priority
      Abi.ferrion_message_priority(@abi)
    end

    def priority=(priority)
      Abi.ferrion_message_set_priority(@abi, priority.to_int)
    end

    # Whether no other receiver has acquired the message before.
    def first_acquirer
      Abi.ferrion_message_first_acquirer(@abi)
    end
    alias first_acquirer? first_acquirer

    def first_acquirer=(first)
      Abi.ferrion_message_set_first_acquirer(@abi, first ? true : false)
    end

    # How many deliveries of the message failed before.
    def delivery_count
      Abi.ferrion_message_delivery_count(@abi)
    end

    def delivery_count=(count)
      Abi.ferrion_message_set_delivery_count(@abi, count.to_int)
    end

    # How long the message is worth delivering, in seconds; nil is for ever.
    def ttl
      milliseconds = Abi.ferrion_message_get(@abi, Abi::FERRION_FIELD_TTL)&.first
      milliseconds && milliseconds.to_i / 1000.0
    end

    def ttl=(seconds)
      Abi.ferrion_message_set(@abi, Abi::FERRION_FIELD_TTL, seconds && UInt.new((seconds * 1000).round))
    end

    # ---- properties ----

    ##
    # The message's own id: a ULong, UUID, or String (text, or octets in Encoding::BINARY).
    field :id, Abi::FERRION_FIELD_ID
    ##
    # The identity of the user that made the message, as octets.
    field(:user_id, Abi::FERRION_FIELD_USER_ID, &:b)
    ##
    # The address that the message is for.
    field :address, Abi::FERRION_FIELD_ADDRESS
    ##
    # What the message is about.
    field :subject, Abi::FERRION_FIELD_SUBJECT
    ##
    # The address that replies go to.
    field :reply_to, Abi::FERRION_FIELD_REPLY_TO
    ##
    # The id that ties messages together; types as for id.
    field :correlation_id, Abi::FERRION_FIELD_CORRELATION_ID
    ##
    # The MIME type of a body of data, a Symbol; a String becomes one.
    field(:content_type, Abi::FERRION_FIELD_CONTENT_TYPE, &:to_sym)
    ##
    # The encodings on top of the content type, a Symbol; a String becomes one.
    field(:content_encoding, Abi::FERRION_FIELD_CONTENT_ENCODING, &:to_sym)
    ##
    # When the message expires, a Time of whole milliseconds.
    field :expiry_time, Abi::FERRION_FIELD_EXPIRY_TIME
    ##
    # When the message was made, a Time of whole milliseconds.
    field :creation_time, Abi::FERRION_FIELD_CREATION_TIME
    ##
    # The group that the message belongs to.
    field :group_id, Abi::FERRION_FIELD_GROUP_ID
    ##
    # The place of the message in its group, a UInt.
    field(:group_sequence, Abi::FERRION_FIELD_GROUP_SEQUENCE) { |number| UInt.new(number) }
    ##
    # The group that replies belong to.
    field :reply_to_group_id, Abi::FERRION_FIELD_REPLY_TO_GROUP_ID

    # ---- sections ----

    ##
    # The application's properties: a Hash with Strings as keys.
    section :properties, Abi::FERRION_SECTION_APPLICATION_PROPERTIES
    ##
    # The message annotations, for every node on the way. Keys are Symbols; Strings become such.
    section :annotations, Abi::FERRION_SECTION_MESSAGE_ANNOTATIONS
    ##
    # The delivery annotations, for the next node only. Keys are Symbols; Strings become such.
    section :instructions, Abi::FERRION_SECTION_DELIVERY_ANNOTATIONS
    ##
    # The footer. Keys are Symbols; Strings become such.
    section :footer, Abi::FERRION_SECTION_FOOTER

    # The content: any value that AMQP has a type for; see Types. Of a body in several sections this is all that is in them, one after
    # the other; it goes out in the same sections unless another body is set or it gets another length.
    def body
      read_body if UNREAD.equal?(@body)
      @body
    end

    def body=(value)
      @inferred = false if UNREAD.equal?(@inferred)
      @borders = []
      @body = value
    end

    # The sections that the body is in: the octets of each data section, or the Array of each sequence section; nil if it is a
    # single AMQP value. What is set here goes out in sections as they are:
    #
    #   message.body_sections = ["head".b, "rest".b]
    def body_sections
      read_body if UNREAD.equal?(@body)
      sections if @inferred && (Message.data?(@body) || Message.sequence?(@body))
    end

    def body_sections=(sections)
      return self.body = nil if sections.nil?

      raise TypeError, "the sections of a body are several: an Array of octets, or of Arrays" unless Message.sequence?(sections)
      raise ArgumentError, "a body has at least one section; an empty one is \"\".b or []" if sections.empty?

      unless sections.all? { |section| Message.data?(section) } || sections.all? { |section| Message.sequence?(section) }
        raise TypeError, "the sections of a body are all Strings in Encoding::BINARY, or all Arrays"
      end
      join(sections)
      @inferred = true
    end

    # Whether the kind of the body section follows from the type of the body: octets (a String in Encoding::BINARY) travel as
    # data, an Array as a sequence. Otherwise, and for all other types, the body is a single AMQP value.
    def inferred
      read_body if UNREAD.equal?(@inferred)
      @inferred
    end
    alias inferred? inferred

    def inferred=(inferred)
      read_body if UNREAD.equal?(@body)
      @inferred = inferred ? true : false
    end

    # ---- whole messages ----

    # Makes this a new message.
    def clear
      Abi.ferrion_message_clear(@abi)
      forget
      self
    end

    # The message as AMQP 1.0 encodes it.
    def encode
      Abi.ferrion_message_encode(to_abi)
    end

    # Makes this the message that is encoded here.
    def decode(octets)
      Abi.ferrion_message_decode(@abi, octets)
      received
    end

    # The same, but a message without a body has the body nil. Some peers leave it out.
    def decode_lenient(octets)
      Abi.ferrion_message_decode_lenient(@abi, octets)
      received
    end

    # For Marshal: a message travels as its octets.
    def _dump(_depth) # :nodoc:
      encode
    end

    def self._load(octets) # :nodoc:
      new.decode(octets)
    end

    # A message of its own, equal to this one.
    def initialize_copy(source)
      super
      @abi = Abi.ferrion_message_new or raise NoMemoryError
      Abi.ferrion_message_copy(@abi, source.to_abi)
      received
    end

    def inspect
      parts = [body.inspect]
      %i[address subject id reply_to correlation_id properties annotations].each do |name|
        value = public_send(name)
        parts << "#{name}: #{value.inspect}" unless value.nil?
      end
      "#<#{self.class} #{parts.join(", ")}>"
    end

    # ---- for the Messenger ----

    # The object of the header, with what is kept here handed over. What was received and not looked at stays as it came.
    def to_abi # :nodoc:
      write_body unless UNREAD.equal?(@body)
      write(Abi::FERRION_SECTION_APPLICATION_PROPERTIES, @properties)
      write_annotations(Abi::FERRION_SECTION_MESSAGE_ANNOTATIONS, @annotations)
      write_annotations(Abi::FERRION_SECTION_DELIVERY_ANNOTATIONS, @instructions)
      write_annotations(Abi::FERRION_SECTION_FOOTER, @footer)
      @abi
    end

    # Lets another message be put behind this one.
    def received_by # :nodoc:
      answer = yield @abi
      received
      answer
    end

    private

    def forget
      @body = @properties = @annotations = @instructions = @footer = nil
      # How long each section of a body in several is; empty where the body is in one.
      @borders = []
      @inferred = false
    end

    def received
      @body = @inferred = @properties = @annotations = @instructions = @footer = UNREAD
      self
    end

    def read_body
      kind, values = Abi.ferrion_message_body(@abi)
      @inferred = kind != Abi::FERRION_BODY_VALUE if UNREAD.equal?(@inferred)
      join(values)
    end

    # Makes the body what is in these sections, and remembers where one ends and the next begins.
    def join(sections)
      @borders = sections.size == 1 ? [] : sections.map { |section| length_of(section) }
      @body = sections.size == 1 ? sections.first : sections.reduce(:+)
    end

    # The sections of a body of data or of sequences.
    def sections
      return [@body] if @borders.empty? || @borders.sum != length_of(@body)

      first = 0
      @borders.map do |length|
        section = @body.is_a?(String) ? @body.byteslice(first, length) : @body[first, length]
        first += length
        section
      end
    end

    def length_of(section)
      section.is_a?(String) ? section.bytesize : section.size
    end

    def write_body
      if @inferred == true && Message.data?(@body)
        Abi.ferrion_message_set_body(@abi, Abi::FERRION_BODY_DATA, Row.new(sections))
      elsif @inferred == true && Message.sequence?(@body)
        Abi.ferrion_message_set_body(@abi, Abi::FERRION_BODY_SEQUENCE, Row.new(sections))
      else
        Abi.ferrion_message_set_body(@abi, Abi::FERRION_BODY_VALUE, @body)
      end
    end

    def write(number, section)
      return if UNREAD.equal?(section)

      Abi.ferrion_message_set_section(@abi, number, section.nil? ? Abi::NOTHING : section)
    end

    def write_annotations(number, section)
      return if UNREAD.equal?(section)

      write(number, section && Message.with_symbols(section))
    end
  end
end
